#!/usr/bin/env python3
"""Deterministic synthetic extracellular recordings in SpikeGLX layout (numpy only).

    python synth_ephys.py OUT.bin --case np1 --seconds 10 --seed 1

writes int16, time-major, little-endian samples (384 probe channels + 1 sync)
and OUT.meta beside it.  The same (case, seconds, seed, block) always gives the
same bytes for one numpy major version; `--sha` prints the digest.

Cases (see CASES):
  np1        Neuropixels-1.0 action-potential band, 10 bit, 2.34 uV per count
  np1_quiet  the same with low background (white matter / outside tissue)
  np1_cm     the same with strong common-mode noise, dead and noisy channels
  np2        Neuropixels-2.0 broadband, 14 bit, 0.76 uV per count
  lf         Neuropixels-1.0 local-field band, 2.5 kHz, 4.69 uV per count
  np1_oe     np1 rescaled to 0.195 uV per count and rounded, as Open Ephys
             stores it: int16 values with holes (about 1 in 12 codes is used)

The noise model of np1 was fitted to the mean autocorrelation of a real
10-channel Neuropixels snippet: about 3/4 of the variance in a slow "hash"
(first-order pole 0.87 at 30 kHz), 1/6 white, 1/13 near Nyquist (pole -0.9).
"""

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np

NCH = 384

CASES = {
    # sigma: background rms in uV (channel median); cm: common-mode rms in uV
    # lfp: slow-field rms in uV; lsb: uV per count; units, bad: numbers
    "np1": {
        "fs": 30000.0,
        "lsb": 2.34375,
        "bits": 10,
        "sigma": 14.5,
        "cm": 4.0,
        "lfp": 6.0,
        "units": 280,
        "bad": 4,
    },
    "np1_quiet": {
        "fs": 30000.0,
        "lsb": 2.34375,
        "bits": 10,
        "sigma": 9.0,
        "cm": 2.5,
        "lfp": 3.0,
        "units": 60,
        "bad": 2,
    },
    "np1_cm": {
        "fs": 30000.0,
        "lsb": 2.34375,
        "bits": 10,
        "sigma": 12.0,
        "cm": 14.0,
        "lfp": 10.0,
        "units": 220,
        "bad": 24,
    },
    "np2": {
        "fs": 30000.0,
        "lsb": 0.762939453125,
        "bits": 14,
        "sigma": 12.5,
        "cm": 4.0,
        "lfp": 140.0,
        "units": 280,
        "bad": 3,
    },
    "lf": {
        "fs": 2500.0,
        "lsb": 4.6875,
        "bits": 10,
        "sigma": 9.0,
        "cm": 8.0,
        "lfp": 190.0,
        "units": 0,
        "bad": 4,
    },
    "np1_oe": {
        "fs": 30000.0,
        "lsb": 2.34375,
        "bits": 10,
        "sigma": 14.5,
        "cm": 4.0,
        "lfp": 6.0,
        "units": 280,
        "bad": 4,
        "rescale": 0.195,
    },
}


class _AR1:
    """y[t] = a y[t-1] + e[t], unit output variance, by repeated doubling."""

    def __init__(self, a, n):
        self.a, self.y = float(a), None
        self.g = np.float32(np.sqrt(1 - a * a))
        self.stages = 0
        while abs(a) ** (2**self.stages) > 2e-2:
            self.stages += 1
        self.n = n

    def __call__(self, e):
        y = e * self.g
        a, s = self.a, 1
        if self.y is not None:
            y[0] += np.float32(a) * self.y
        for _ in range(self.stages):
            if s >= len(y):
                break
            y[s:] += np.float32(a) * y[:-s]  # right-hand side is a new array
            a, s = a * a, 2 * s
        self.y = y[-1].copy()
        return y


class Synth:
    def __init__(self, case="np1", seed=0):
        self.p = p = dict(CASES[case])
        self.case, self.seed, self.fs = case, seed, p["fs"]
        r = np.random.Generator(np.random.SFC64([seed, 7]))
        self.rng = np.random.Generator(np.random.SFC64([seed, 11]))
        depth = np.arange(NCH) / NCH
        # background strength changes along the shank (layers) and by channel
        prof = 1 + 0.28 * np.sin(2 * np.pi * (2.3 * depth + r.random())) + 0.12 * r.standard_normal(NCH)
        self.sig = (p["sigma"] * np.clip(prof, 0.45, 2.0)).astype(np.float32)
        self.w_white = np.float32(np.sqrt(0.16))
        self.w_hash = np.float32(np.sqrt(0.765))
        self.w_ny = np.float32(np.sqrt(0.075))
        self.dc = (r.normal(0, 8 * p["lsb"], NCH)).astype(np.float32)
        bad = r.permutation(NCH)[: p["bad"]]
        self.dead, self.loud = bad[: len(bad) // 2], bad[len(bad) // 2 :]
        k = 12
        cen = (np.arange(k) + 0.5) / k
        self.load = np.exp(-0.5 * ((depth[None] - cen[:, None]) / 0.12) ** 2).astype(np.float32)
        self.load /= np.sqrt((self.load**2).sum(0))
        self.cm_gain = (1 + 0.06 * r.standard_normal(NCH)).astype(np.float32)
        scale = self.fs / 30000.0
        self.hash = _AR1(0.87 ** min(1 / scale, 12) if scale < 1 else 0.87, NCH)
        self.ny = _AR1(-0.9 if scale == 1 else -0.3, 2 * 16)
        self.cmf = [_AR1(np.exp(-1 / (self.fs * 0.00012)), 1), _AR1(np.exp(-1 / (self.fs * 0.003)), 1)]
        self.slow = [
            (_AR1(np.exp(-1 / (self.fs * t)), k), w)
            for t, w in ((0.0012, 0.12), (0.008, 0.32), (0.05, 0.56), (0.4, 0.75))
        ]
        self.units = []
        n = np.arange(-20, 44)
        for _ in range(p["units"]):
            amp = float(np.exp(r.normal(np.log(70), 0.75)))
            w1, w2 = r.uniform(2.6, 5.0), r.uniform(7, 14)
            wf = (
                -np.exp(-0.5 * (n / w1) ** 2)
                + r.uniform(0.25, 0.5) * np.exp(-0.5 * ((n - 2.6 * w1 - 3) / w2) ** 2)
                + r.uniform(0, 0.2) * np.exp(-0.5 * ((n + 8) / 4.0) ** 2)
            )
            c0 = int(r.integers(0, NCH - 24))
            d = np.arange(24) - 12 + r.uniform(-1, 1)
            sp = np.exp(-np.abs(d) / r.uniform(1.2, 3.6))
            rate = float(np.clip(np.exp(r.normal(np.log(3.0), 1.0)), 0.05, 60))
            self.units.append((np.outer(wf * amp, sp).astype(np.float32), c0, rate))
        self.tail = np.zeros((64, NCH), np.float32)
        self.t = 0

    def block(self, nt):
        p, g = self.p, self.rng
        f32 = np.float32
        x = self.hash(g.standard_normal((nt, NCH), dtype=f32))
        # neighbours (same site row and next row) share part of the hash
        x[:, 1:] += f32(0.18) * x[:, :-1]
        x *= self.w_hash
        u = g.random((nt, NCH), dtype=f32)
        u -= f32(0.5)
        u *= f32(self.w_white * np.sqrt(12))
        x += u  # white part, uniform
        ny = self.ny(g.standard_normal((nt, 32), dtype=f32)) * self.w_ny
        x.reshape(nt, 32, NCH // 32)[...] += ny[:, :, None]  # per-converter group
        x *= self.sig
        s = [f(g.standard_normal((nt, 12), dtype=f32)) * f32(w * p["lfp"]) for f, w in self.slow]
        cm = self.cmf[0](g.standard_normal((nt, 1), dtype=f32)) * f32(0.85) + self.cmf[1](
            g.standard_normal((nt, 1), dtype=f32)
        ) * f32(0.52)
        # slow field (12 smooth depth profiles) and common mode in one product
        x += np.concatenate([s[0] + s[1] + s[2] + s[3], cm * f32(p["cm"])], 1) @ np.concatenate(
            [self.load, self.cm_gain[None]]
        )
        if self.units:
            x = np.concatenate([x, np.zeros((64, NCH), f32)])
            x[:64] += self.tail
            for w, c0, rate in self.units:
                for t0 in g.integers(0, nt, g.poisson(rate * nt / self.fs)):
                    x[t0 : t0 + 64, c0 : c0 + 24] += w * f32(g.uniform(0.8, 1.1))
            self.tail, x = x[nt:].copy(), x[:nt]
        x[:, self.dead] *= f32(0.05)
        x[:, self.loud] *= f32(6)
        x += self.dc
        half = 1 << (p["bits"] - 1)
        x *= f32(1 / p["lsb"])
        np.rint(x, out=x)
        np.clip(x, -half, half - 1, out=x)
        if p.get("rescale"):
            x *= f32(p["lsb"] / p["rescale"])
            np.rint(x, out=x)
        out = np.empty((nt, NCH + 1), np.int16)
        out[:, :NCH] = x
        tt = np.arange(self.t, self.t + nt) / self.fs
        sync = ((tt % 1.0) < 0.5).astype(np.int16) * 64
        sync |= ((np.floor(tt * 60) % 7) == 3).astype(np.int16)
        out[:, NCH] = sync
        self.t += nt
        return out

    def meta(self, nbytes, name):
        p = self.p
        lf = self.case == "lf"
        np2 = self.case == "np2"
        n = nbytes // 2 // (NCH + 1)
        half = 1 << (p["bits"] - 1)
        typ = 21 if np2 else 0
        sns = f"0,{NCH},1" if lf else f"{NCH},0,1"
        kv = {
            "acqApLfSy": f"{NCH},0,1" if np2 else f"{NCH},{NCH},1",
            "appVersion": 20201103,
            "fileCreateTime": "2020-01-01T00:00:00",
            "fileName": name,
            "fileSizeBytes": nbytes,
            "fileTimeSecs": n / self.fs,
            "firstSample": 0,
            "gateMode": "Immediate",
            "imAiRangeMax": 0.5 if np2 else 0.6,
            "imAiRangeMin": -0.5 if np2 else -0.6,
            "imDatPrb_pn": "NP2000" if np2 else "PRB_1_4_0480_1",
            "imDatPrb_port": 1,
            "imDatPrb_slot": 2,
            "imDatPrb_sn": 0,
            "imDatPrb_type": typ,
            "imMaxInt": half,
            "imSampRate": self.fs,
            "nSavedChans": NCH + 1,
            "snsApLfSy": sns,
            "snsSaveChanSubset": "0:384",
            "syncSourcePeriod": 1,
            "trigMode": "Immediate",
            "typeImEnabled": 1,
            "typeNiEnabled": 0,
            "typeThis": "imec",
            "userNotes": "synthetic",
        }
        rows = [f"{k}={v}" for k, v in kv.items()]
        if np2:
            tab = f"({typ},{NCH})" + "".join(f"({i} 1 0 {i})" for i in range(NCH))
        else:
            tab = f"({typ},{NCH})" + "".join(f"({i} 0 0 500 250 1)" for i in range(NCH))
        rows.append("~imroTbl=" + tab)
        lab = "LF" if lf else "AP"
        rows.append(
            f"~snsChanMap=({NCH},0,1)"
            + "".join(f"({lab}{i};{i}:{i})" for i in range(NCH))
            + f"(SY0;{NCH}:{NCH})"
        )
        rows.append(
            f"~snsShankMap=(1,{2},{NCH // 2 * 1 if np2 else 480})"
            + "".join(f"(0:{i % 2}:{i // 2}:1)" for i in range(NCH))
        )
        return "\n".join(rows) + "\n"


def generate(case, seconds, seed=0, block=0.1):
    """Whole recording as one array (n_samples, 385) int16."""
    s = Synth(case, seed)
    left, out = round(seconds * s.fs), []
    while left > 0:
        nt = min(left, round(block * s.fs))
        out.append(s.block(nt))
        left -= nt
    return np.concatenate(out)


def write(path, case, seconds, seed=0, block=0.1):
    path = Path(path)
    s = Synth(case, seed)
    h = hashlib.sha1(usedforsecurity=False)
    n = 0
    left = round(seconds * s.fs)
    with path.open("wb") as f:
        while left > 0:
            nt = min(left, round(block * s.fs))
            b = s.block(nt).tobytes()
            h.update(b)
            f.write(b)
            n += len(b)
            left -= nt
    path.with_suffix(".meta").write_text(s.meta(n, path.name))
    return h.hexdigest(), n


def main(argv=None):
    a = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    a.add_argument("out")
    a.add_argument("--case", default="np1", choices=sorted(CASES))
    a.add_argument("--seconds", type=float, default=10)
    a.add_argument("--seed", type=int, default=0)
    a.add_argument("--sha", action="store_true")
    v = a.parse_args(argv)
    import time

    t0 = time.perf_counter()
    d, n = write(v.out, v.case, v.seconds, v.seed)
    dt = time.perf_counter() - t0
    print(
        f"{v.out}: {n} bytes, {v.seconds / dt:.2f}x real time" + (f", sha1 {d}" if v.sha else ""),
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()

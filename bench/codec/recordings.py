"""Recordings for the benches, from a seed: like those of a Neuropixels probe, with their SpikeGLX .meta.

    python -m bench.codec.recordings OUT.ap.bin --case np2 --seconds 4

Samples are int16 counts (n_samples, 385): 384 channels of voltage, and the sync word. A case and a seed always give the
same samples. Strengths are such that the residuals of a real snippet and of `np1` have one autocorrelation: of the
variance between spikes three quarters are slow, a sixth is white, and a thirteenth lies next to half the sampling rate.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from examples.synthetic_recording import spikeglx_meta

Floats = NDArray[np.float32]
f32 = np.float32
N_CHANNELS = 384
BLOCK_S = 0.1
SPIKE_SAMPLES, SPIKE_CHANNELS = 64, 24
N_PROFILES = 12  # smooth shapes along the shank; slow fields are mixtures of them
N_CONVERTERS = 32  # each digitises twelve channels, and adds its own noise to all of them
WHITE, SLOW, FASTEST = 0.16, 0.765, 0.075  # shares of the variance between spikes
# Time constant in seconds → strength: of the slow fields, and of the common signal.
FIELDS = {0.0012: 0.12, 0.008: 0.32, 0.05: 0.56, 0.4: 0.75}
COMMON = {0.00012: 0.85, 0.003: 0.52}


@dataclass(frozen=True)
class Case:
    """A probe and what it records; strengths are root mean squares in microvolts, of a median channel.

    `stored_uv` is the step in which Open Ephys keeps samples, so that their codes have holes.
    """

    background_uv: float
    common_uv: float
    field_uv: float
    n_units: int
    n_bad: int
    rate_hz: float = 30_000.0
    uv_per_count: float = 2.34375
    bits: int = 10
    stored_uv: float | None = None

    @property
    def is_lf(self) -> bool:
        return self.rate_hz < 30_000


CASES = {
    "np1": Case(14.5, 4.0, 6.0, n_units=280, n_bad=4),
    "np1_cm": Case(12.0, 14.0, 10.0, n_units=220, n_bad=24),
    "np2": Case(12.5, 4.0, 140.0, n_units=280, n_bad=3, uv_per_count=0.762939453125, bits=14),
    "lf": Case(9.0, 8.0, 190.0, n_units=0, n_bad=4, rate_hz=2_500.0, uv_per_count=4.6875),
    "np1_oe": Case(14.5, 4.0, 6.0, n_units=280, n_bad=4, stored_uv=0.195),
}


class Memory:
    """First-order noise with this pole and the variance of the white noise that drives it."""

    def __init__(self, pole: float) -> None:
        self.pole = pole
        self.gain = f32(np.sqrt(1 - pole * pole))
        self.last: Floats | None = None

    def __call__(self, white: Floats) -> Floats:
        """The next block: each pass doubles the number of earlier samples that contribute, until none matter."""
        out = white * self.gain
        if self.last is not None:
            out[0] += f32(self.pole) * self.last
        left, back = self.pole, 1
        forgotten = 0.02
        power = abs(self.pole)
        while power > forgotten and back < len(out):
            out[back:] += f32(left) * out[:-back]
            left, back, power = left * left, 2 * back, power * power
        self.last = out[-1].copy()
        return out


@dataclass(frozen=True)
class Unit:
    """A neuron: its spike in microvolts on the channels from `first` on, and how often it fires."""

    spike: Floats
    first: int
    rate_hz: float


def a_unit(draw: np.random.Generator) -> Unit:
    """A trough, a slower peak behind it and a faint one before, fading along the shank."""
    t = np.arange(-20, SPIKE_SAMPLES - 20)

    def bump(at: float, width: float) -> NDArray[np.float64]:
        return np.exp(-0.5 * ((t - at) / width) ** 2)

    size_uv = float(np.exp(draw.normal(np.log(70), 0.75)))
    trough, peak = draw.uniform(2.6, 5.0), draw.uniform(7, 14)
    shape = -bump(0, trough) + draw.uniform(0.25, 0.5) * np.exp(-0.5 * ((t - 2.6 * trough - 3) / peak) ** 2)
    shape = shape + draw.uniform(0, 0.2) * bump(-8, 4.0)
    first = int(draw.integers(0, N_CHANNELS - SPIKE_CHANNELS))
    away = np.abs(np.arange(SPIKE_CHANNELS) - 12 + draw.uniform(-1, 1))
    fade = np.exp(-away / draw.uniform(1.2, 3.6))
    rate_hz = float(np.clip(np.exp(draw.normal(np.log(3.0), 1.0)), 0.05, 60))
    return Unit(np.outer(shape * size_uv, fade).astype(f32), first, rate_hz)


class Probe:
    """Generates one recording: each block continues the previous one."""

    def __init__(self, case: Case, seed: int) -> None:
        draw = np.random.Generator(np.random.SFC64([seed, 7]))
        self.case, self.draw = case, np.random.Generator(np.random.SFC64([seed, 11]))
        depth = np.arange(N_CHANNELS) / N_CHANNELS
        layers = 1 + 0.28 * np.sin(2 * np.pi * (2.3 * depth + draw.random()))
        layers = layers + 0.12 * draw.standard_normal(N_CHANNELS)
        self.background_uv = (case.background_uv * np.clip(layers, 0.45, 2.0)).astype(f32)
        self.offset_uv = draw.normal(0, 8 * case.uv_per_count, N_CHANNELS).astype(f32)
        bad = draw.permutation(N_CHANNELS)[: case.n_bad]
        self.silent, self.loud = np.split(bad, [len(bad) // 2])
        heights = (np.arange(N_PROFILES) + 0.5) / N_PROFILES
        profiles = np.exp(-0.5 * ((depth[None] - heights[:, None]) / 0.12) ** 2).astype(f32)
        profiles /= np.sqrt((profiles**2).sum(0))
        common_gain = (1 + 0.06 * draw.standard_normal(N_CHANNELS)).astype(f32)
        self.reaches = np.concatenate([profiles, common_gain[None]])
        self.slow = Memory(0.87**12 if case.is_lf else 0.87)
        self.fastest = Memory(-0.3 if case.is_lf else -0.9)
        self.fields, self.common = (
            [(Memory(float(np.exp(-1 / (case.rate_hz * tau_s)))), size) for tau_s, size in kinds.items()]
            for kinds in (FIELDS, COMMON)
        )
        self.units = [a_unit(draw) for _ in range(case.n_units)]
        self.unfinished = np.zeros((SPIKE_SAMPLES, N_CHANNELS), f32)
        self.n_samples = 0

    def block(self, n: int) -> NDArray[np.int16]:
        """The next `n` samples (n, 385)."""
        volts = self._between_spikes(n)
        volts += self._far_away(n)
        if self.units:
            volts = self._with_spikes(volts)
        volts[:, self.silent] *= f32(0.05)
        volts[:, self.loud] *= f32(6)
        volts += self.offset_uv
        out = np.empty((n, N_CHANNELS + 1), np.int16)
        out[:, :N_CHANNELS] = self._counts(volts)
        out[:, N_CHANNELS] = self._sync(n)
        self.n_samples += n
        return out

    def _white(self, *shape: int) -> Floats:
        return self.draw.standard_normal(shape, dtype=f32)

    def _between_spikes(self, n: int) -> Floats:
        noise = self.slow(self._white(n, N_CHANNELS))
        noise[:, 1:] += f32(0.18) * noise[:, :-1]  # neighbouring channels record the same cells
        noise *= f32(np.sqrt(SLOW))
        white = self.draw.random((n, N_CHANNELS), dtype=f32)
        white -= f32(0.5)
        white *= f32(f32(np.sqrt(WHITE)) * np.sqrt(12))
        noise += white
        fastest = self.fastest(self._white(n, N_CONVERTERS)) * f32(np.sqrt(FASTEST))
        noise.reshape(n, N_CONVERTERS, -1)[...] += fastest[:, :, None]
        noise *= self.background_uv
        return noise

    def _far_away(self, n: int) -> Floats:
        """Slow fields and the common signal of each channel."""
        fields = [
            kind(self._white(n, N_PROFILES)) * f32(size * self.case.field_uv) for kind, size in self.fields
        ]
        common = [kind(self._white(n, 1)) * f32(size) for kind, size in self.common]
        sources = [fields[0] + fields[1] + fields[2] + fields[3], sum(common) * f32(self.case.common_uv)]
        return np.concatenate(sources, 1) @ self.reaches

    def _with_spikes(self, volts: Floats) -> Floats:
        """Add spikes; the part of a spike after the block is added to the next one."""
        n = len(volts)
        volts = np.concatenate([volts, np.zeros((SPIKE_SAMPLES, N_CHANNELS), f32)])
        volts[:SPIKE_SAMPLES] += self.unfinished
        for unit in self.units:
            columns = slice(unit.first, unit.first + SPIKE_CHANNELS)
            for at in self.draw.integers(0, n, self.draw.poisson(unit.rate_hz * n / self.case.rate_hz)):
                volts[at : at + SPIKE_SAMPLES, columns] += unit.spike * f32(self.draw.uniform(0.8, 1.1))
        self.unfinished = volts[n:].copy()
        return volts[:n]

    def _counts(self, volts: Floats) -> Floats:
        half = 1 << (self.case.bits - 1)
        volts *= f32(1 / self.case.uv_per_count)
        counts = np.clip(np.rint(volts), -half, half - 1)
        if self.case.stored_uv:
            counts = np.rint(counts * f32(self.case.uv_per_count / self.case.stored_uv))
        return counts

    def _sync(self, n: int) -> NDArray[np.int16]:
        """Bit 6: half of every second. Bit 0: one of seven frames of a 60 Hz camera."""
        t_s = np.arange(self.n_samples, self.n_samples + n) / self.case.rate_hz
        return ((t_s % 1.0 < 0.5) * 64 + (np.floor(t_s * 60) % 7 == 3)).astype(np.int16)


def blocks(case: str, seconds: float, seed: int = 0) -> Iterator[NDArray[np.int16]]:
    """A recording, a tenth of a second at a time."""
    probe = Probe(CASES[case], seed)
    left, most = round(seconds * probe.case.rate_hz), round(BLOCK_S * probe.case.rate_hz)
    while left > 0:
        yield probe.block(min(left, most))
        left -= most


def generate(case: str, seconds: float, seed: int = 0) -> NDArray[np.int16]:
    """A whole recording (n_samples, 385)."""
    return np.concatenate(list(blocks(case, seconds, seed)))


def meta(name: str, case: str, n_samples: int) -> str:
    """The .meta of `examples.synthetic_recording`, changed for this probe and band."""
    kind = CASES[case]
    lines = dict(line.split("=", 1) for line in spikeglx_meta(name, n_samples).splitlines())
    lines |= {"fileTimeSecs": f"{n_samples / kind.rate_hz}", "imSampRate": f"{kind.rate_hz}"}
    if kind.is_lf:
        lines["snsApLfSy"] = f"0,{N_CHANNELS},1"
        lines["~snsChanMap"] = lines["~snsChanMap"].replace("(AP", "(LF")
    if kind.bits == 14:
        sites = "".join(f"({channel} 1 0 {channel})" for channel in range(N_CHANNELS))
        lines |= {
            "acqApLfSy": f"{N_CHANNELS},0,1",
            "imAiRangeMax": "0.5",
            "imAiRangeMin": "-0.5",
            "imDatPrb_pn": "NP2000",
            "imDatPrb_type": "21",
            "imMaxInt": "8192",
            "~imroTbl": f"(21,{N_CHANNELS}){sites}",
            "~snsShankMap": lines["~snsShankMap"].replace("(1,2,480)", "(1,2,192)"),
        }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--case", default="np1", choices=CASES)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with options.path.open("wb") as file:
        for block in blocks(options.case, options.seconds, options.seed):
            file.write(block.tobytes())
    n_samples = options.path.stat().st_size // (2 * (N_CHANNELS + 1))
    options.path.with_suffix(".meta").write_text(meta(options.path.name, options.case, n_samples))
    print(f"{options.path}: {n_samples} samples", file=sys.stderr)


if __name__ == "__main__":
    main()

"""Write a Neuropixels-like raw recording in seconds: an .ap.bin with its SpikeGLX .meta.

    python examples/synthetic_recording.py OUT.ap.bin --seconds 10 --seed 1

384 action-potential channels and one sync channel at 30 kHz, 10 bit, 2.34 uV per count, made of
slow and fast noise, a common signal, spikes of units along the shank, and two sync lines.
It is for demonstrations and tests: the same seed gives the same bytes. The noise of a channel
repeats a drawn second with changing offsets, so statistics over minutes are not natural.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

N_CHANNELS = 384
RATE_HZ = 30_000
UV_PER_COUNT = 2.34375
BLOCK = 3_000  # samples generated at a time: 0.1 s
POOL = 1 << 21  # samples of noise drawn once; blocks are cut from it at random places
SPIKE_SAMPLES = 60
SPIKE_CHANNELS = 16


@dataclass(frozen=True)
class Unit:
    """A neuron: its spike on the channels from `first_channel` on (counts), and how often it fires."""

    spike: NDArray[np.int16]
    first_channel: int
    rate_hz: float


def coloured_noise(rng: np.random.Generator, n_samples: int) -> NDArray[np.float32]:
    """Noise of unit variance with most power below 3 kHz, as between spikes in cortex."""
    white = rng.standard_normal(n_samples, dtype=np.float32)
    frequencies = np.fft.rfftfreq(n_samples, 1 / RATE_HZ)
    shape = np.sqrt(0.2 + 1 / (1 + (frequencies / 700) ** 2)) * (frequencies > 300)
    noise: NDArray[np.float32] = np.fft.irfft(np.fft.rfft(white) * shape, n_samples).astype(np.float32)
    noise /= noise.std()
    return noise


def draw_units(rng: np.random.Generator, count: int = 200) -> list[Unit]:
    """Neurons along the shank: a trough, a slower peak, fading with distance."""
    t = np.arange(SPIKE_SAMPLES) - 15
    units = []
    for _ in range(count):
        trough = np.exp(-0.5 * (t / rng.uniform(2.5, 5)) ** 2)
        peak = np.exp(-0.5 * ((t - rng.uniform(12, 20)) / rng.uniform(7, 12)) ** 2)
        fade = np.exp(-np.abs(np.arange(SPIKE_CHANNELS) - SPIKE_CHANNELS / 2) / rng.uniform(1.2, 3.5))
        size = np.exp(rng.normal(np.log(70), 0.7)) / UV_PER_COUNT
        spike = np.outer((0.35 * peak - trough) * size, fade)
        units.append(
            Unit(
                np.rint(spike).astype(np.int16),
                int(rng.integers(0, N_CHANNELS - SPIKE_CHANNELS)),
                float(np.clip(np.exp(rng.normal(1.0, 1.0)), 0.05, 50)),
            )
        )
    return units


def blocks(n_samples: int, seed: int) -> Iterator[NDArray[np.int16]]:
    """The recording in blocks (BLOCK or less, 385) of int16 counts."""
    rng = np.random.default_rng(seed)
    units = draw_units(rng)
    size_counts = rng.uniform(4.5, 7.5, N_CHANNELS).astype(np.float32)
    pool = coloured_noise(rng, POOL)
    # Noise in counts for eight classes of channels, so that a block needs one slice and two sums.
    classes = np.rint(pool * np.quantile(size_counts, np.linspace(0.05, 0.95, 8))[:, None]).astype(np.int16)
    kind = np.searchsorted(np.quantile(size_counts, np.linspace(0.1, 0.9, 7)), size_counts)
    offset_counts = np.rint(rng.normal(0, 8, N_CHANNELS)).astype(np.int16)
    common = np.rint(coloured_noise(rng, POOL) * 1.7).astype(np.int16)
    spill = np.zeros((SPIKE_SAMPLES, N_CHANNELS), np.int16)
    for start in range(0, n_samples, BLOCK):
        turned = np.empty((N_CHANNELS, BLOCK), np.int16)
        for channel, place in enumerate(rng.integers(0, POOL - BLOCK, N_CHANNELS)):
            turned[channel] = classes[kind[channel], place : place + BLOCK]
        place = int(rng.integers(0, POOL - BLOCK))
        turned += common[place : place + BLOCK]
        volts = np.concatenate([turned.T, np.zeros((SPIKE_SAMPLES, N_CHANNELS), np.int16)])
        volts[:SPIKE_SAMPLES] += spill
        for unit in units:
            spot = slice(unit.first_channel, unit.first_channel + SPIKE_CHANNELS)
            for time_sample in rng.integers(0, BLOCK, rng.poisson(unit.rate_hz * BLOCK / RATE_HZ)):
                volts[time_sample : time_sample + SPIKE_SAMPLES, spot] += unit.spike
        spill = volts[BLOCK:].copy()
        out = np.empty((BLOCK, N_CHANNELS + 1), np.int16)
        np.clip(volts[:BLOCK] + offset_counts, -512, 511, out=out[:, :N_CHANNELS])
        out[:, N_CHANNELS] = sync_word(start)
        yield out[: n_samples - start]


def sync_word(start: int) -> NDArray[np.int16]:
    """Bit 6: one pulse per second, half a second long. Bit 0: a camera's frames at 60 Hz."""
    time_sample = np.arange(start, start + BLOCK)
    pulse = (time_sample % RATE_HZ < RATE_HZ // 2) * 64
    return (pulse + (time_sample % (RATE_HZ // 60) < 60)).astype(np.int16)


def spikeglx_meta(name: str, n_samples: int) -> str:
    """The .meta that SpikeGLX writes beside a Neuropixels 1.0 recording, as far as readers need it."""
    n_saved = N_CHANNELS + 1
    channels = range(N_CHANNELS)
    entries = {
        "acqApLfSy": f"{N_CHANNELS},{N_CHANNELS},1",
        "appVersion": 20201103,
        "fileCreateTime": "2020-01-01T00:00:00",
        "fileName": name,
        "fileSizeBytes": n_samples * n_saved * 2,
        "fileTimeSecs": n_samples / RATE_HZ,
        "firstSample": 0,
        "gateMode": "Immediate",
        "imAiRangeMax": 0.6,
        "imAiRangeMin": -0.6,
        "imDatPrb_pn": "PRB_1_4_0480_1",
        "imDatPrb_port": 1,
        "imDatPrb_slot": 2,
        "imDatPrb_sn": 0,
        "imDatPrb_type": 0,
        "imMaxInt": 512,
        "imSampRate": RATE_HZ,
        "nSavedChans": n_saved,
        "snsApLfSy": f"{N_CHANNELS},0,1",
        "snsSaveChanSubset": f"0:{N_CHANNELS}",
        "syncSourcePeriod": 1,
        "trigMode": "Immediate",
        "typeImEnabled": 1,
        "typeNiEnabled": 0,
        "typeThis": "imec",
        "userNotes": "synthetic",
        "~imroTbl": f"(0,{N_CHANNELS})" + "".join(f"({c} 0 0 500 250 1)" for c in channels),
        "~snsChanMap": f"({N_CHANNELS},0,1)"
        + "".join(f"(AP{c};{c}:{c})" for c in channels)
        + f"(SY0;{N_CHANNELS}:{N_CHANNELS})",
        "~snsShankMap": "(1,2,480)" + "".join(f"(0:{c % 2}:{c // 2}:1)" for c in channels),
    }
    return "".join(f"{key}={value}\n" for key, value in entries.items())


def write_recording(path: Path, seconds: float, seed: int = 0) -> int:
    """Write `path` (.ap.bin) and its .meta; returns the number of samples per channel."""
    n_samples = round(seconds * RATE_HZ)
    with path.open("wb") as file:
        for block in blocks(n_samples, seed):
            file.write(block.astype("<i2", copy=False).tobytes())
    path.with_suffix(".meta").write_text(spikeglx_meta(path.name, n_samples))
    return n_samples


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("path", type=Path, help="output file, such as probe_g0_t0.imec0.ap.bin")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.perf_counter()
    n_samples = write_recording(options.path, options.seconds, options.seed)
    print(f"{options.path}: {n_samples} samples in {time.perf_counter() - started:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()

"""Other streams of a rig, compared with mtscomp: `make bench-streams`, or `python bench/codec/streams.py`.

Four generated streams: NIDQ (eight analog channels with a digital word), a single sync word, LF, and widefield-like
16-bit frames (one channel per pixel). Sizes and CPU seconds of one thread are relative to mtscomp's in the same round
(median of the rounds); mtscomp has chunks of one second, ours are those of the writer. All must decode exactly.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anchors
import numpy as np
from recordings import generate

from cingulum.codec.container_writer import chunk_duration_s

PRESETS = (("small", "numba"), ("fast", "numba"), ("fast", "numpy"))
Samples = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Stream:
    """A kind of recording: a generator for a number of seconds, and the channels that contain digital words."""

    sample_rate_hz: float
    make: Callable[[np.random.Generator, int], Samples]
    digital: tuple[int, ...] = ()


def nidq(draw: np.random.Generator, n: int) -> Samples:
    """Photodiode, rotary encoder, microphone and five idle inputs, all with noise, and a digital word."""
    t = np.arange(n) / 30_000
    signals = np.zeros((n, 8))
    signals[:, 0] = 9_000 * (np.sin(2 * np.pi * 0.7 * t) > 0)
    signals[:, 1] = 4_000 * np.sin(2 * np.pi * 3 * t)
    signals[:, 2] = draw.normal(0, 300, n)
    analog = signals + draw.normal(0, 2, (n, 8))
    return np.hstack([np.round(analog).astype(np.int16), word(draw, n)])


def word(draw: np.random.Generator, n: int) -> Samples:
    """A digital word: a camera's 60 Hz, a 1 Hz sync pulse, and a line that changes about 20 times a second."""
    t = np.arange(n) / 30_000
    bits = (t * 120 % 2 < 1) * 1 + (t % 1 < 0.5) * 64 + (np.cumsum(draw.random(n) < 20 / 30_000) % 2) * 8
    return bits.astype(np.int16)[:, None]


def widefield(draw: np.random.Generator, n: int) -> Samples:
    """Frames of 128 x 128 pixels: a bright cortex with photon noise, and one per cent of slow activity."""
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    cortex = 9_000 * np.exp(-(x**2 + y**2)) + 1_000
    activity = 1 + 0.01 * np.sin(2 * np.pi * 2 * np.arange(n)[:, None, None] / 30 + 3 * x)
    return draw.poisson(cortex * activity).astype(np.uint16).reshape(n, -1)


STREAMS = {
    "NIDQ, 8 analog and a word": Stream(30_000, nidq, digital=(8,)),
    "sync word": Stream(30_000, word, digital=(0,)),
    "LF, 385 channels": Stream(2_500, lambda _, n: generate("lf", n / 2_500, seed=1), digital=(384,)),
    "widefield, 128 x 128": Stream(30, widefield),
}


def chunks(samples: Samples, step: int) -> list[Samples]:
    return [samples[start : start + step] for start in range(0, len(samples), step)]


def compare(stream: Stream, seconds: float, rounds: int) -> dict[str, list[float]]:
    """Relative size and speeds of each of our codecs, by name."""
    samples = stream.make(np.random.default_rng(0), int(seconds * stream.sample_rate_hz))
    theirs = chunks(samples, int(stream.sample_rate_hz))
    ours = chunks(samples, round(chunk_duration_s(stream.sample_rate_hz) * stream.sample_rate_hz))
    mtscomp = anchors.mtscomp_anchor(samples.dtype)
    codecs = [anchors.cingulum(*preset, stream.digital) for preset in PRESETS]
    for each in codecs:
        anchors.measure(each, ours[:1])  # compiles
    rows: dict[str, list[list[float]]] = {each.name: [] for each in codecs}
    for _ in range(rounds):
        base = anchors.measure(mtscomp, theirs)
        for each in codecs:
            measured = anchors.measure(each, ours)
            ratios = (
                measured["size"] / base["size"],
                *(base[way] / measured[way] for way in ("pack_s", "unpack_s")),
            )
            rows[each.name].append(list(ratios))
    return {
        name: [statistics.median(column) for column in zip(*each, strict=True)] for name, each in rows.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("| stream | codec | size | compress | decompress |\n|---|---|---|---|---|")
    for name, stream in STREAMS.items():
        for codec, (size, pack, unpack) in compare(stream, options.seconds, options.rounds).items():
            print(f"| {name} | {codec} | {size:.3f} | {pack:.1f} x | {unpack:.1f} x |", flush=True)


if __name__ == "__main__":
    main()

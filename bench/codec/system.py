"""Measurements around the codec: entropy limits, two threads, random access in files."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np

from cingulum.codec import CglFile, RawFile, RawLayout, compress_to_cbin, decode, encode, write_cgl

LIMIT_SAMPLES = 8_192
LIMIT_CHANNELS = 128
TURN_S = 1.0
CONTROL = "two threads, arithmetic only"


def entropy_limits(samples: Any) -> dict[str, float]:
    """Order-0 entropy (bits per sample) of rounded least-squares residuals, the limit of such coders."""
    x = samples[:LIMIT_SAMPLES, :LIMIT_CHANNELS].T.astype(float)
    x -= np.rint(x.mean(axis=1, keepdims=True))
    return {
        "difference": _entropy(np.diff(x, axis=1)),
        "LPC-2": _entropy(_residuals(x, 2, 0)),
        "LPC-4": _entropy(_residuals(x, 4, 0)),
        "LPC-4 + 8 neighbours": _entropy(_residuals(x, 4, 8)),
    }


def _residuals(x: Any, order: int, n_neighbours: int) -> Any:
    n_samples = x.shape[1]
    out = []
    for channel in range(len(x)):
        known = [x[channel, order - lag : n_samples - lag] for lag in range(1, order + 1)]
        for near in range(1, min(n_neighbours, channel) + 1):
            known += [x[channel - near, order - lag : n_samples - lag] for lag in range(3)]
        features, target = np.array(known), x[channel, order:]
        normal = features @ features.T + 10 * np.eye(len(features))
        out.append(target - np.rint(np.linalg.solve(normal, features @ target) @ features))
    return np.array(out)


def _entropy(residuals: Any) -> float:
    measured = []
    for row in residuals.astype(np.int64):
        counts = np.bincount(row - row.min())
        share = counts[counts > 0] / len(row)
        measured.append(-(share * np.log2(share)).sum())
    return float(np.mean(measured))


def measure(samples: Any) -> dict[str, float]:
    """Two threads relative to one (wall-clock seconds), and slices of files relative to mtscomp (CPU seconds)."""
    return {**_threads(samples), **_slices(samples)}


def _clock(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _cpu(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _threads(samples: Any) -> dict[str, float]:
    """Compression, decompression, and a loop without memory access: what two threads of this machine gain now."""
    chunks = [samples[start : start + 30_000] for start in range(0, min(len(samples), 120_000), 30_000)]
    works: dict[str, Callable[[], Any]] = {CONTROL: lambda: _spin(400_000_000)}
    for preset, kernel in (("small", "numba"), ("fast", "numba"), ("fast", "numpy")):
        packed = [encode(chunk, preset=preset, kernel=kernel) for chunk in chunks]  # type: ignore[arg-type]

        def compress(preset: Any = preset, kernel: Any = kernel) -> None:
            for chunk in chunks:
                encode(chunk, preset=preset, kernel=kernel)

        def decompress(packed: list[bytes] = packed, kernel: Any = kernel) -> None:
            for data in packed:
                decode(data, kernel=kernel)

        works[f"two threads, {preset} {kernel}, compress"] = compress
        works[f"two threads, {preset} {kernel}, decompress"] = decompress
    return {name: _gain(work) for name, work in works.items()}


def _gain(work: Callable[[], Any]) -> float:
    """Speed of two threads relative to one, the best of several rounds; the one is not the main thread either.

    A round takes over a second: threads start on one processor, and the kernel needs a while to separate them.
    """
    work()
    times = max(1, round(TURN_S / _clock(work)))

    def again() -> None:
        for _ in range(times):
            work()

    def together(n: int) -> Callable[[], None]:
        def run() -> None:
            threads = [threading.Thread(target=again) for _ in range(n)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        return run

    turns = [(_clock(together(1)), _clock(together(2))) for _ in range(5)]
    return 2 * min(alone for alone, _ in turns) / min(both for _, both in turns)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _spin(n: int) -> int:
    x = 3
    for _ in range(n):
        x = (x * x) ^ 12_345
    return x


def _slices(samples: Any) -> dict[str, float]:
    import mtscomp

    n_channels = samples.shape[1]
    layout = RawLayout(n_channels, 30_000.0, np.dtype("<i2"), digital_channels=(n_channels - 1,))
    measured = {}
    with tempfile.TemporaryDirectory() as name:
        raw = Path(name) / "probe.bin"
        raw.write_bytes(samples.tobytes())
        compress_to_cbin(raw, layout=layout, preset="compatible-fast")
        theirs = mtscomp.Reader(quiet=True, n_threads=1)
        theirs.open(raw.with_suffix(".cbin"))
        starts = np.random.default_rng(0).integers(0, len(samples) - 30_000, 8).tolist()

        def read_theirs() -> None:
            for t in starts:
                theirs.read_chunk.cache_clear()  # it caches ten chunks, ours none
                _ = theirs[t : t + 30_000]

        base = min(_cpu(read_theirs) for _ in range(2))
        theirs.close()
        for preset in ("small", "fast"):
            path = raw.with_name(f"{preset}.cgl")
            write_cgl(RawFile(raw, layout), path, preset=preset)
            with CglFile(path) as file:
                for label, channels in (("all channels", None), ("8 channels", list(range(200, 208)))):

                    def read(file: CglFile = file, channels: Any = channels) -> None:
                        for t in starts:
                            file.read(t, t + 30_000, channels)

                    measured[f"slice of 1 s x {label}, {preset}"] = base / min(_cpu(read) for _ in range(3))
    return measured

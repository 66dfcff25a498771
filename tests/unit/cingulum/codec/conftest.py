"""Small recordings that look like the field's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from cingulum.codec import RawLayout

Samples = NDArray[Any]


def a_recording(n_samples: int = 3_000, n_channels: int = 9, seed: int = 0, dtype: str = "<i2") -> Samples:
    """Slow noise, a signal that all channels share, a few spikes, and sync bits on the last channel."""
    rng = np.random.default_rng(seed)
    slow = np.cumsum(rng.normal(0, 2, (n_samples, n_channels)), axis=0) * 0.3
    volts = slow + rng.normal(0, 6, (n_samples, n_channels)) + rng.normal(0, 8, (n_samples, 1))
    for start in rng.integers(0, max(1, n_samples - 40), n_samples // 500):
        volts[start : start + 30] -= 300 * np.hanning(30)[: len(volts) - start, None]
    info = np.iinfo(dtype)
    middle = 0 if info.min < 0 else info.max // 2
    samples: Samples = np.clip(np.rint(volts) + middle, info.min, info.max).astype(dtype)
    samples[:, -1] = (np.arange(n_samples) // 100 % 2) * 64
    return samples


class WriteRaw(Protocol):
    def __call__(self, samples: Samples, tail: bytes = b"", name: str = "probe.ap.bin") -> Path: ...


@pytest.fixture
def write_raw(tmp_path: Path) -> WriteRaw:
    def write(samples: Samples, tail: bytes = b"", name: str = "probe.ap.bin") -> Path:
        path = tmp_path / name
        path.write_bytes(samples.tobytes() + tail)
        return path

    return write


def a_layout(samples: Samples, sample_rate_hz: float = 1_000.0) -> RawLayout:
    """One chunk a second, so 1,000 samples a chunk."""
    return RawLayout(
        samples.shape[1], sample_rate_hz, samples.dtype, digital_channels=(samples.shape[1] - 1,)
    )

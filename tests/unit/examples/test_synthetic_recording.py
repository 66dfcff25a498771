"""The recording that `make demo` generates."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cingulum.codec import RawLayout, digests_of
from examples.synthetic_recording import write_recording


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, again, other = (tmp_path / f"{name}.ap.bin" for name in ("first", "again", "other"))
    write_recording(first, 1.05, seed=3)
    write_recording(again, 1.05, seed=3)
    write_recording(other, 1.05, seed=4)
    assert digests_of(first) == digests_of(again)
    assert digests_of(first) != digests_of(other)


def test_it_is_laid_out_like_a_neuropixels_recording(tmp_path: Path) -> None:
    path = tmp_path / "probe.ap.bin"
    n_samples = write_recording(path, 1.05)
    layout = RawLayout.beside(path)
    assert (layout.n_channels, layout.sample_rate_hz, layout.digital_channels) == (385, 30_000.0, (384,))
    assert len(layout.shanks) == 384
    samples = np.fromfile(path, "<i2").reshape(n_samples, 385)
    volts, sync = samples[:, :384], samples[:, 384]
    assert n_samples == 31_500
    assert volts.min() >= -512
    assert volts.max() <= 511
    assert 3 < np.median(volts.std(axis=0)) < 12
    assert set(np.unique(sync)) == {0, 1, 64, 65}
    assert np.count_nonzero(np.diff(sync >> 6) == 1) == 1

"""What else a rig records: lossless from end to end, with what lies beside it telling the shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cingulum.codec import CglFile, RawLayout, compress, decompress_to_bin, digests_of, encode


def there_and_back(raw: Path) -> float:
    """Compress by what lies beside the file, restore it, and compare; the ratio."""
    done = compress(raw)
    with CglFile(raw.with_suffix(".cgl")) as packed:
        assert decompress_to_bin(packed, raw.with_name("again.bin")) == digests_of(raw)
    return done.ratio


def test_nidq_with_analog_channels_and_digital_words(tmp_path: Path) -> None:
    draw, n = np.random.default_rng(0), 60_000
    analog = 3_000 * np.sin(np.arange(n)[:, None] * [0.001, 0.01]) + draw.normal(0, 2, (n, 2))
    words = np.repeat(draw.integers(0, 65_536, (n // 100, 1), np.uint16), 100, axis=0).view(np.int16)
    raw = tmp_path / "run_g0_t0.nidq.bin"
    raw.write_bytes(np.hstack([analog.astype("<i2"), words]).tobytes())
    raw.with_suffix(".meta").write_text("nSavedChans=3\nniSampRate=30003.0003\nsnsMnMaXaDw=0,0,2,1\n")
    assert RawLayout.beside(raw).digital_channels == (2,)
    assert there_and_back(raw) > 2.5


def test_the_lf_band_is_cut_in_long_chunks(tmp_path: Path) -> None:
    draw, n = np.random.default_rng(1), 30_000
    shared = np.cumsum(draw.normal(0, 4, (n, 1)), axis=0)
    samples = (shared + draw.normal(0, 2, (n, 24))).astype("<i2")
    samples[:, -1] = np.arange(n) // 1_250 % 2 * 64
    raw = tmp_path / "run_g0_t0.imec0.lf.bin"
    raw.write_bytes(samples.tobytes())
    raw.with_suffix(".meta").write_text("nSavedChans=24\nimSampRate=2500.04\nsnsApLfSy=0,23,1\n")
    assert there_and_back(raw) > 3
    with CglFile(raw.with_suffix(".cgl")) as packed:
        assert np.diff(packed.chunk_bounds).tolist() == [10_000, 10_000, 10_000]


def test_random_sync_bits_do_not_disturb_the_volts_beside_them(tmp_path: Path) -> None:
    draw, n = np.random.default_rng(2), 30_000
    volts = np.cumsum(draw.normal(0, 1, (n, 8)), axis=0).astype("<i2")
    bits = draw.integers(-32_768, 32_767, (n, 1), np.int16)
    raw = tmp_path / "probe.ap.bin"
    raw.write_bytes(np.hstack([volts, bits]).tobytes())
    raw.with_suffix(".meta").write_text("nSavedChans=9\nimSampRate=30000\nsnsApLfSy=8,0,1\n")
    there_and_back(raw)
    alone = len(encode(volts))
    assert raw.with_suffix(".cgl").stat().st_size < alone + bits.nbytes * 1.02 + 2_000


def test_a_widefield_stack_is_compressed_and_round_trips(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    brain = 8_000 + 4_000 * np.hypot(*np.mgrid[-1:1:64j, -1:1:64j])
    frames = draw.poisson(brain, (60, 64, 64)).astype("<u2")
    raw = tmp_path / "frames.dat"
    raw.write_bytes(frames.tobytes())
    done = compress(raw, layout=RawLayout(64 * 64, 30.0, np.dtype("<u2")))
    with CglFile(raw.with_suffix(".cgl")) as packed:
        assert np.array_equal(packed.read(0, 60).reshape(frames.shape), frames)
        assert packed.dtype == np.dtype("<u2")
    assert done.ratio > 1.5


@pytest.mark.parametrize("n_channels", [5_000])
def test_wide_recordings_get_chunks_that_fit_memory(tmp_path: Path, n_channels: int) -> None:
    raw = tmp_path / "wide.bin"
    with raw.open("wb") as file:
        file.truncate(n_channels * 2 * 3_000)
    compress(raw, layout=RawLayout(n_channels, 30_000.0), preset="fast")
    with CglFile(raw.with_suffix(".cgl")) as packed:
        assert np.diff(packed.chunk_bounds).max() * n_channels * 2 <= 24 << 20

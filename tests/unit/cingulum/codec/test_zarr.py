"""Arrays of Zarr, both versions, in chunks that our codec wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr

from cingulum.codec import CbinFile, CglFile, RawLayout, compress, compress_to_cbin, encode
from cingulum.codec.zarr_v2 import CingulumCodec, RecordingCodec
from cingulum.codec.zarr_v3 import CingulumBytes

from .conftest import a_recording


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<i2", "<u2", "<f4", ">i2"])
def test_a_version_2_array_round_trips(tmp_path: Path, dtype: str, order: Any) -> None:
    samples = a_recording(3_300, 10).astype(dtype)
    written = zarr.create_array(
        tmp_path / "v2.zarr",
        shape=samples.shape,
        chunks=(1_000, 10),
        dtype=dtype,
        zarr_format=2,
        order=order,
        compressors=CingulumCodec(),
    )
    written[:] = samples
    array = zarr.open_array(tmp_path / "v2.zarr", mode="r")
    assert array.metadata.to_dict()["compressor"] == {"id": "cingulum", "preset": "small"}
    assert np.array_equal(array[:], samples)
    assert np.array_equal(array[990:2_010, 3], samples[990:2_010, 3])


@pytest.mark.parametrize("preset", ["small", "fast"])
def test_a_version_3_array_round_trips(tmp_path: Path, preset: Any) -> None:
    samples = a_recording(3_300, 10)
    written = zarr.create_array(
        tmp_path / "v3.zarr",
        shape=samples.shape,
        chunks=(1_000, 10),
        dtype="int16",
        compressors=[CingulumBytes(preset=preset)],
    )
    written[:] = samples
    array = zarr.open_array(tmp_path / "v3.zarr", mode="r")
    assert np.array_equal(array[:], samples)
    stored = sum(path.stat().st_size for path in (tmp_path / "v3.zarr").rglob("*") if path.is_file())
    assert stored < samples.nbytes * 0.8


def test_both_are_loaded_by_their_entry_points() -> None:
    assert isinstance(numcodecs.get_codec({"id": "cingulum", "preset": "fast"}), CingulumCodec)
    assert zarr.registry.get_codec_class("cingulum") is CingulumBytes


def test_movies_lists_and_plain_bytes_are_taken_too() -> None:
    codec = CingulumCodec()
    movie = np.random.default_rng(0).poisson(900, (20, 16, 16)).astype("<u2")
    assert np.array_equal(codec.decode(codec.encode(movie)).reshape(movie.shape), movie)
    assert codec.decode(codec.encode(b"bytes")).tobytes() == b"bytes"
    out = np.empty_like(movie)
    codec.decode(codec.encode(movie), out=out)
    assert np.array_equal(out, movie)
    with pytest.raises(ValueError, match="preset"):
        CingulumBytes(preset="tiny")  # type: ignore[arg-type]


@pytest.mark.parametrize("padding", [0, 1, 50_000])
@pytest.mark.parametrize("stored", ["cgl", "cbin", "bin"])
def test_chunks_of_a_recording_are_blocks_of_its_first_channels(
    tmp_path: Path, stored: str, padding: int
) -> None:
    samples = a_recording(2_300, 5)
    raw, layout = tmp_path / "x.bin", RawLayout(n_channels=5, sample_rate_hz=1_000.0)
    raw.write_bytes(samples.tobytes())
    if stored == "cgl":
        compress(raw, layout=layout, chunk_s=1.0)
        bounds = CglFile(raw.with_suffix(".cgl")).chunk_offsets
    elif stored == "cbin":
        compress_to_cbin(raw, layout=layout)
        bounds = CbinFile(raw.with_suffix(".cbin")).chunk_offsets
    else:
        bounds = [0, 10_000, 20_000, 23_000]
    content = raw.with_suffix(f".{stored}").read_bytes()
    config = RecordingCodec(stored, 1_000, 5, 4).get_config()
    assert config.pop("id") == "cingulum_recording"
    codec = RecordingCodec.from_config(config)
    for n, first in enumerate((0, 1_000, 2_000)):
        block = codec.decode(content[bounds[n] : bounds[n + 1]] + bytes(padding)).view("<i2").reshape(-1, 4)
        expected = samples[first : first + 1_000, :4]
        assert np.array_equal(block[: len(expected)], expected)
        assert len(block) == 1_000
        if padding == 0 or stored != "bin":
            assert not block[len(expected) :].any()


@pytest.mark.parametrize("kind", ["random", "constant", "ramp"])
def test_a_chunk_with_zeros_after_its_end_is_read(kind: str) -> None:
    """LINDI appends zeros to blocks that are shorter than their samples are."""
    rng = np.random.default_rng(0)
    samples = {
        "random": rng.integers(-32768, 32767, (700, 3), np.int16),
        "constant": np.zeros((700, 3), np.int16),
        "ramp": np.arange(2_100, dtype=np.int16).reshape(700, 3),
    }[kind]
    codec = RecordingCodec("cgl", 1_000, 3, 3)
    block = codec.decode(encode(samples) + bytes(6_000)).view("<i2").reshape(-1, 3)
    assert np.array_equal(block[:700], samples)

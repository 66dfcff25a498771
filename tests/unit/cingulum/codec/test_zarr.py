"""Arrays of Zarr, both versions, in chunks that our codec wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr

from cingulum.codec.zarr_v2 import CingulumCodec
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

"""Recordings as Zarr arrays: the grid, and the memory of decoded blocks."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.compressor.domain.zarr import BLOCK_BYTES, Grid
from services.compressor.operations import zarr
from services.compressor.operations.slice_cache import OpenRecording, SliceCache
from services.compressor.operations.zarr import DecodedBlocks


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    n_channels=st.integers(1, 150),
    version=st.sampled_from([2, 3]),
    dtype=st.sampled_from(["<i2", ">i2", "<f4", "|u1"]),
)
def test_the_blocks_are_the_recording(lengths: list[int], n_channels: int, version: int, dtype: str) -> None:
    bounds = [0, *np.cumsum(lengths).tolist()]
    grid = Grid.over(bounds, n_channels, np.dtype(dtype))
    samples = np.arange(bounds[-1] * n_channels).reshape(-1, n_channels).astype(dtype)
    n_rows, n_columns = (-(-size // step) for size, step in zip(samples.shape, grid.block_shape, strict=True))
    padded = np.ones((n_rows * grid.block_samples, n_columns * grid.block_channels), grid.dtype)
    for row in range(n_rows):
        for column in range(n_columns):
            block = grid.block_at(f"c/{row}/{column}" if version == 3 else f"{row}.{column}")
            assert block is not None
            data = grid.pad(samples[block.start : block.stop, block.first : block.last])
            assert len(data) == grid.block_bytes
            at = (slice(row * grid.block_samples, None), slice(column * grid.block_channels, None))
            padded[at][: grid.block_samples, : grid.block_channels] = np.frombuffer(data, grid.dtype).reshape(
                grid.block_shape
            )
    np.testing.assert_array_equal(padded[: len(samples), :n_channels], samples)
    assert not padded[len(samples) :].any()
    assert not padded[:, n_channels:].any()
    assert grid.block_at(f"{n_rows}.0") is None
    assert grid.block_at(f"0.{n_columns}") is None


def test_a_long_chunk_is_several_blocks() -> None:
    grid = Grid.over([0, 300_000, 400_000], 385, np.dtype("<i2"))
    assert grid.block_samples * 385 * 2 <= BLOCK_BYTES


@pytest.mark.parametrize(
    "key", ["0.0.0", "00.0", "c/0", "c/01/0", "-1.0", "0.0\n", "1e3.0", "", "c.0.0", "٣.0"]
)
def test_other_keys_are_no_blocks(key: str) -> None:
    assert Grid.over([0, 10], 3, np.dtype("<i2")).block_at(key) is None


class _Decoder:
    """Counts what is decoded, and decodes nothing before it may."""

    def __init__(self) -> None:
        self.decoded: list[int] = []
        self.free = asyncio.Event()

    async def read_samples(self, _cache: Any, _opened: Any, start: int, stop: int, channels: range) -> Any:
        self.decoded.append(start)
        await self.free.wait()
        return np.full((stop - start, len(channels)), start, "<i2")


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> _Decoder:
    counting = _Decoder()
    monkeypatch.setattr(zarr, "read_samples", counting.read_samples)
    return counting


async def test_a_chunk_of_a_cbin_is_decoded_once_for_all_its_requests(decoder: _Decoder) -> None:
    grid = Grid.over([0, 10, 20], 130, np.dtype("<i2"))
    opened = cast(
        "OpenRecording",
        SimpleNamespace(reader=SimpleNamespace(n_channels=130), recording=SimpleNamespace(samples_id="ab")),
    )
    blocks, cache = DecodedBlocks(most_bytes=3000), cast("SliceCache", None)

    def fetch(key: str) -> Any:
        block = grid.block_at(key)
        assert block is not None
        return asyncio.ensure_future(blocks.fetch(cache, opened, block))

    cancelled, waiting = fetch("0.0"), fetch("0.1")
    await asyncio.sleep(0)
    cancelled.cancel()
    decoder.free.set()
    assert (await waiting).shape == (10, 64)
    assert (await fetch("0.2")).shape == (10, 2)
    assert decoder.decoded == [0]
    await fetch("1.0")  # both chunks are more than the limit: the older one is dropped
    await fetch("1.1")
    await fetch("0.0")
    assert decoder.decoded == [0, 10, 0]

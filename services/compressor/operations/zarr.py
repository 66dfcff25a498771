"""Blocks of recordings as Zarr arrays, decoded once for the requests that follow each other."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from cingulum.codec import CglReader
from services.compressor.domain.zarr import Block, Document, Grid
from services.compressor.operations.slice_cache import OpenRecording, SliceCache
from services.compressor.operations.slices import read_samples

Key = tuple[str, int, int, int]  # samples_id of the recording, first sample, first and last channel


@dataclass
class DecodedBlocks:
    """The blocks that were decoded last, up to a number of bytes; requests for one that is being decoded wait."""

    most_bytes: int
    _decoded: OrderedDict[Key, NDArray[Any]] = field(default_factory=OrderedDict)
    _decoding: dict[Key, asyncio.Task[NDArray[Any]]] = field(default_factory=dict)
    _bytes: int = 0

    async def fetch(self, cache: SliceCache, opened: OpenRecording, block: Block) -> NDArray[Any]:
        """Samples (time, channel) of a block. Raises Unavailable, TooManyRequests.

        Of a .cgl only the block's channels are decoded. Of a .cbin all are, and cached for its other blocks.
        """
        first, last = block.first, block.last
        if not isinstance(opened.reader, CglReader):
            first, last = 0, opened.reader.n_channels
        key = (opened.recording.samples_id, block.start, first, last)
        samples = self._decoded.get(key)
        if samples is None:
            samples = await self._decode(cache, opened, key, block.stop)
        else:
            self._decoded.move_to_end(key)
        return samples[:, block.first - first : block.last - first]

    async def _decode(self, cache: SliceCache, opened: OpenRecording, key: Key, stop: int) -> NDArray[Any]:
        task = self._decoding.get(key)
        if task is None:
            _, start, first, last = key
            reading = read_samples(cache, opened, start, stop, range(first, last))
            task = self._decoding[key] = asyncio.ensure_future(reading)
            task.add_done_callback(lambda done: self._end(key, done))
        # A cancelled request must not cancel what other requests wait for.
        return await asyncio.shield(task)

    def _end(self, key: Key, done: asyncio.Task[NDArray[Any]]) -> None:
        del self._decoding[key]
        if done.cancelled() or done.exception() is not None:
            return
        self._decoded[key] = done.result()
        self._bytes += done.result().nbytes
        while self._bytes > self.most_bytes and self._decoded:
            _, oldest = self._decoded.popitem(last=False)
            self._bytes -= oldest.nbytes


def grid_of(opened: OpenRecording) -> Grid:
    """The grid of a recording's array."""
    reader = opened.reader
    return Grid.over(reader.chunk_bounds, reader.n_channels, reader.dtype)


def describe(opened: OpenRecording, document: Document) -> dict[str, Any]:
    """A document of the array's metadata; its attributes say what the samples are."""
    recording = opened.recording
    attributes: dict[str, Any] = {
        "dataset_id": str(recording.dataset_id),
        "sampling_frequency": opened.reader.sample_rate_hz,
        "uv_per_bit": recording.uv_per_bit,  # per channel, null for bits; null as a whole without a .meta
        "unit": "bit",
        "doubts": recording.doubts,
    }
    return grid_of(opened).describe(document, attributes)

"""What a process needs to read recordings: the store, a limited number of decoders, and the last indices."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import numpy as np

from cingulum.codec import (
    CbinHeader,
    CbinReader,
    CglReader,
    ChunkedReader,
    Digests,
    Index,
    LocalFile,
    ReadRange,
)
from libs.common.db.shares import Shares
from libs.common.storage import Store
from services.compressor.domain.recordings import NotIndexed, RecordingState, StoredRecording

T = TypeVar("T")
Key = tuple[UUID, str, datetime | None]  # dataset, SHA-256, time of indexing
MOST_INDICES = 200  # kept per process; that of an hour is half a megabyte


@dataclass(frozen=True)
class OpenRecording:
    """A recording that can be read: its index, parsed and checked once."""

    recording: StoredRecording
    reader: ChunkedReader


@dataclass
class SliceCache:
    """The store, so many decoders at a time, and the indices of the recordings read last."""

    store: Store
    decoders: int
    _free: asyncio.Semaphore = field(init=False)
    _shares: Shares = field(init=False)
    _indices: OrderedDict[Key, OpenRecording] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.decoders)
        self._shares = Shares(max(1, self.decoders - 1), of="decoders")

    async def decode(self, function: Callable[..., T], *args: Any) -> T:
        """Run a decoder in a thread, within its caller's share; a cancelled one is free again only when it ends.

        Raises TooManyRequests, and what the function raises.
        """
        async with self._shares.one(), self._free:
            decoding = asyncio.ensure_future(asyncio.to_thread(function, *args))
            try:
                return await asyncio.shield(decoding)
            except asyncio.CancelledError:
                await asyncio.wait([decoding])
                raise

    def get(self, key: Key) -> OpenRecording | None:
        """A recording that was read recently."""
        if key in self._indices:
            self._indices.move_to_end(key)
        return self._indices.get(key)

    def put(self, key: Key, opened: OpenRecording) -> None:
        """Cache a recording; the least recently used one is evicted."""
        self._indices[key] = opened
        while len(self._indices) > MOST_INDICES:
            self._indices.popitem(last=False)

    async def ranges_of(self, sha256: str) -> ReadRange:
        """A function for threads that reads bytes of an object, from its file or by this loop. Raises ObjectMissing."""
        stat, loop = await self.store.stat(sha256), asyncio.get_running_loop()
        path = stat.path
        if path is not None:
            return lambda offset, length: _read_file(path, offset, length)
        return ranges_by_loop(self.store, sha256, loop)


def ranges_by_loop(store: Store, sha256: str, loop: asyncio.AbstractEventLoop) -> ReadRange:
    """A function for threads that reads bytes of an object by the event loop."""

    def read_range(offset: int, length: int) -> bytes:
        reading = bytes_between(store, sha256, offset, offset + length)
        return asyncio.run_coroutine_threadsafe(reading, loop).result()

    return read_range


def _read_file(path: Path, offset: int, length: int) -> bytes:
    with LocalFile(path) as file:
        return file(offset, length)


async def bytes_between(store: Store, sha256: str, start: int, stop: int) -> bytes:
    """Bytes `start` up to `stop` (excluded) of an object."""
    async with store.open(sha256, start, stop) as reading:
        return b"".join([bytes(block) async for block in reading.chunks])


def reader_of(recording: StoredRecording) -> ChunkedReader:
    """A reader of an indexed recording, without access to its bytes yet. Raises NotIndexed."""
    index = recording.index
    if recording.state is not RecordingState.INDEXED or index is None:
        problem = recording.problem
        raise NotIndexed(f"It cannot be read as a compressed recording: {problem}" if problem else None)
    shared: dict[str, Any] = {
        "dtype": np.dtype(index.dtype),
        "n_channels": index.n_channels,
        "sample_rate_hz": index.sample_rate_hz,
        "chunk_bounds": index.chunk_bounds,
        "chunk_offsets": index.chunk_offsets,
        "tail": index.tail,
    }
    if recording.ch_sha256 is None:
        raw = Digests(size_bytes=index.raw_bytes, sha256=index.raw_sha256 or "", sha1=index.raw_sha1 or "")
        return CglReader(_no_bytes, Index(raw=raw, **shared))
    header = CbinHeader(
        chunk_order=index.chunk_order or "F",
        do_time_diff=bool(index.do_time_diff),
        do_spatial_diff=bool(index.do_spatial_diff),
        **shared,
    )
    return CbinReader(_no_bytes, header)


def _no_bytes(offset: int, length: int) -> bytes:
    raise AssertionError(f"bytes {offset} to {offset + length} are read by the caller")

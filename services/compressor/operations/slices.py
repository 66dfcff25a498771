"""Cutting slices, and the raw file, out of compressed recordings."""

from __future__ import annotations

import asyncio
import io
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cingulum.codec import (
    CbinHeader,
    CbinReader,
    CglReader,
    ChunkedReader,
    CodecError,
    Digests,
    Index,
    LocalFile,
    ReadRange,
)
from libs.common.db.shares import Shares
from libs.common.problem import Unavailable
from libs.common.storage import ObjectMissing, Store
from services.compressor.domain import NotIndexed, Span, Wish, take_off_common, volts_channels
from services.compressor.models import RecordingRow

T = TypeVar("T")
KNOWN = 200  # recordings whose index a process keeps; that of an hour is half a megabyte


@dataclass(frozen=True)
class Known:
    """A recording that can be read: its index, parsed and checked once."""

    row: RecordingRow
    reader: ChunkedReader


@dataclass
class Shelf:
    """What a process needs to read recordings: the store, so many decoders at a time, and the last indices."""

    store: Store
    decoders: int
    room: asyncio.Semaphore = field(init=False)
    shares: Shares = field(init=False)
    known: OrderedDict[tuple[UUID, str, datetime | None], Known] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.room = asyncio.Semaphore(self.decoders)
        self.shares = Shares(max(1, self.decoders - 1), of="decoders")

    async def decode(self, function: Callable[..., T], *args: Any) -> T:
        """Run a decoder in a thread, within its caller's share; its place is free when it ends, not before.

        Raises TooManyRequests, and what the function raises.
        """
        async with self.shares.one(), self.room:
            decoding = asyncio.ensure_future(asyncio.to_thread(function, *args))
            try:
                return await asyncio.shield(decoding)
            except asyncio.CancelledError:
                await asyncio.wait([decoding])
                raise

    def recall(self, key: tuple[UUID, str, datetime | None]) -> Known | None:
        """A recording that was read lately."""
        if key in self.known:
            self.known.move_to_end(key)
        return self.known.get(key)

    def keep(self, key: tuple[UUID, str, datetime | None], known: Known) -> None:
        """Remember a recording; the one that was not asked for longest goes."""
        self.known[key] = known
        while len(self.known) > KNOWN:
            self.known.popitem(last=False)

    async def ranges_of(self, sha256: str) -> ReadRange:
        """Bytes of an object for threads: from its file, or by asking this loop. Raises ObjectMissing."""
        stat, loop = await self.store.stat(sha256), asyncio.get_running_loop()
        path = stat.path
        if path is not None:
            return lambda offset, length: _pread(path, offset, length)

        def ask(offset: int, length: int) -> bytes:
            return asyncio.run_coroutine_threadsafe(
                bytes_between(self.store, sha256, offset, offset + length), loop
            ).result()

        return ask


def _pread(path: Path, offset: int, length: int) -> bytes:
    with LocalFile(path) as file:
        return file(offset, length)


async def bytes_between(store: Store, sha256: str, start: int, stop: int) -> bytes:
    async with store.open(sha256, start, stop) as reading:
        return b"".join([bytes(block) async for block in reading.chunks])


def reader_of(row: RecordingRow) -> ChunkedReader:
    """A reader of an indexed recording, its bytes still to come. Raises NotIndexed."""
    told = (row.dtype, row.n_channels, row.sample_rate_hz, row.chunk_bounds, row.chunk_offsets)
    dtype, n_channels, rate, bounds, offsets = told
    if row.state != "indexed" or not (dtype and n_channels and rate and bounds and offsets):
        raise NotIndexed(
            f"It cannot be read as a compressed recording: {row.problem}" if row.problem else None
        )
    shared: dict[str, Any] = {
        "dtype": np.dtype(dtype),
        "n_channels": n_channels,
        "sample_rate_hz": rate,
        "chunk_bounds": tuple(bounds),
        "chunk_offsets": tuple(offsets),
        "tail": row.tail or b"",
    }
    if row.ch_sha256 is None:
        raw = Digests(size_bytes=row.raw_bytes or 0, sha256=row.raw_sha256 or "", sha1=row.raw_sha1 or "")
        return CglReader(_nothing, Index(raw=raw, **shared))
    header = CbinHeader(
        chunk_order=row.chunk_order or "F",
        do_time_diff=bool(row.do_time_diff),
        do_spatial_diff=bool(row.do_spatial_diff),
        **shared,
    )
    return CbinReader(_nothing, header)


def raw_bytes_of(reader: ChunkedReader, span: Span) -> int:
    """Raw bytes of all chunks that a span touches."""
    chunks = reader.chunks_between(span.start, span.stop)
    samples = reader.chunk_bounds[chunks.stop] - reader.chunk_bounds[chunks.start]
    return samples * reader.n_channels * reader.dtype.itemsize


async def cut(shelf: Shelf, known: Known, span: Span, wish: Wish) -> NDArray[Any]:
    """The slice, (samples, channels). Reads the chunks it touches and no other; decodes in a thread.

    Raises Unavailable where the bytes are away or damaged.
    """
    volts = known.row.uv_per_bit
    referenced = volts_channels(volts, known.reader.n_channels) if wish.car else None
    try:
        reader = known.reader.reading(await shelf.ranges_of(known.row.sha256))
        return await shelf.decode(_cut, reader, span, wish, volts, referenced)
    except (ObjectMissing, FileNotFoundError) as error:
        raise Unavailable("The recording's bytes are not in the store at the moment.") from error
    except CodecError as error:
        raise Unavailable(f"The recording cannot be decoded here: {error}") from error


def _cut(
    reader: ChunkedReader,
    span: Span,
    wish: Wish,
    volts: list[float | None] | None,
    referenced: list[int] | None,
) -> NDArray[Any]:
    if referenced is None:
        return wish.apply(reader.read(span.start, span.stop, span.channels), volts, span.channels)
    # The reference is the mean of all channels, so all are decoded, chunk by chunk.
    found = np.empty((span.stop - span.start, len(span.channels)), np.float32)
    for chunk in reader.chunks_between(span.start, span.stop):
        first = max(span.start, reader.chunk_bounds[chunk])
        last = min(span.stop, reader.chunk_bounds[chunk + 1])
        samples = reader.read(first, last)
        found[first - span.start : last - span.start] = take_off_common(samples, span.channels, referenced)
    return wish.apply(found, volts, span.channels)


async def raw_bytes(shelf: Shelf, known: Known, start: int, stop: int) -> AsyncIterator[bytes]:
    """Bytes start … stop-1 of the file that was compressed, decoded as they are taken: a chunk at a time."""
    reader = known.reader.reading(await shelf.ranges_of(known.row.sha256))
    row_bytes = reader.n_channels * reader.dtype.itemsize
    samples_end = reader.n_samples * row_bytes
    if start < samples_end:
        for chunk in reader.chunks_between(start // row_bytes, -(-min(stop, samples_end) // row_bytes)):
            at = reader.chunk_bounds[chunk] * row_bytes
            block = await shelf.decode(raw_chunk, reader, chunk)
            yield block[max(0, start - at) : stop - at]
    if stop > samples_end:
        yield reader.tail[max(0, start - samples_end) : stop - samples_end]


def raw_chunk(reader: ChunkedReader, chunk: int) -> bytes:
    return reader.read_chunk(chunk).tobytes()


def _nothing(offset: int, length: int) -> bytes:
    raise AssertionError(f"bytes {offset} to {offset + length} are brought by the caller")


def npy(samples: NDArray[Any]) -> bytes:
    """A slice as NumPy's own file format."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(samples), allow_pickle=False)
    return file.getvalue()


def arrow(samples: NDArray[Any], span: Span, about: dict[str, str]) -> bytes:
    """A slice as an Arrow IPC stream: a column a channel, named by its number, and what it is as metadata."""
    import pyarrow as pa

    columns = [pa.array(np.ascontiguousarray(samples[:, n])) for n in range(len(span.channels))]
    names = [str(channel) for channel in span.channels]
    table = pa.table(
        columns, schema=pa.schema(list(zip(names, [c.type for c in columns], strict=True)), about)
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())

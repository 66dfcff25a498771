"""Writes chunks to a temporary file: reads the source once, in order, and can resume after a kill.

When an attempt is resumed, the source is read again for its hashes, but chunks that are
already written are not compressed again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from cingulum.codec.checksums import crc32
from cingulum.codec.claims import Facts, contradictions
from cingulum.codec.journal import PartFile
from cingulum.codec.pipeline import COPIES_PER_CHUNK, Turns, ordered_map, thread_count
from cingulum.codec.proof import Compression, OnProgress, Progress
from cingulum.codec.source import Source
from cingulum.digests import Digests, Hasher

Encode = Callable[[bytes], bytes]
OnNote = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """Options of writing a file: threads, memory, and the callbacks for progress and notes.

    `on_note` gets a sentence about an earlier attempt, before writing begins.
    """

    threads: int | None = None
    memory_bytes: int | None = None
    on_progress: OnProgress | None = None
    on_note: OnNote | None = None

    def note(self, part: PartFile) -> None:
        """Report an earlier attempt, resumed or discarded."""
        if self.on_note is None:
            return
        if part.set_aside:
            self.on_note(
                f"an earlier attempt cannot be resumed, {part.set_aside}: starting from the beginning"
            )
        elif part.n_resumed:
            self.on_note(f"resuming an earlier attempt that was stopped after {part.n_resumed} chunks")


@dataclass(frozen=True)
class Written:
    """The result of reading: the hashes of all raw bytes, and the bytes after the last whole sample."""

    raw: Digests
    tail: bytes


def start_of(source: Source, settings: dict[str, Any]) -> dict[str, Any]:
    """What must be the same for an attempt to be resumed."""
    return {
        "source": source.identity(),
        "settings": settings,
        "bounds": crc32(repr(tuple(source.chunk_bounds)).encode()),
    }


def write_chunks(
    part: PartFile, source: Source, encode: Encode, work: Work, copies: float = COPIES_PER_CHUNK
) -> Written:
    """Append all missing chunks. Threads read, hash in order, and encode.

    `copies` is the number of copies of a chunk in memory while it is encoded.
    """
    work.note(part)
    raw, turns = Hasher(sha1=True), Turns()
    lengths = [
        (stop - start) * source.layout.bytes_per_sample for start, stop in pairwise(source.chunk_bounds)
    ]
    workers = thread_count(max(lengths, default=1), work.threads, work.memory_bytes, copies)
    total, done = sum(lengths), 0

    def read_and_encode(number: int) -> bytes:
        try:
            chunk = source.read_chunk(number)
        except BaseException:
            turns.abort()
            raise
        with turns.of(number):
            raw.update(chunk)
        return b"" if number < part.n_resumed else encode(chunk)

    for number, coded in enumerate(ordered_map(read_and_encode, range(len(lengths)), workers)):
        if number >= part.n_resumed:
            part.append_chunk(coded)
        done += lengths[number]
        if work.on_progress:
            work.on_progress(Progress("compress", done, total, part.offsets[number + 1]))
    part.sync()
    tail = source.tail()
    raw.update(tail)
    return Written(raw.digests(), tail)


def compression_of(source: Source, written: Written, part: PartFile, files: tuple[Path, ...]) -> Compression:
    """The result of a source that was written to `part`, verified, and published as `files`."""
    return Compression(
        raw=written.raw,
        compressed=part.hasher.digests(),
        files=files,
        n_samples=source.chunk_bounds[-1],
        n_channels=source.layout.n_channels,
        n_chunks=len(source.chunk_bounds) - 1,
        tail_bytes=len(written.tail),
        contradictions=contradictions(source.layout.claims, _facts_of(source, written)),
        resumed_chunks=part.n_resumed,
    )


def _facts_of(source: Source, written: Written) -> Facts:
    """Facts about a source that was read, for comparison with the claims of its companions."""
    return Facts(
        size_bytes=written.raw.size_bytes,
        n_channels=source.layout.n_channels,
        n_samples=source.chunk_bounds[-1],
        sample_rate_hz=source.layout.sample_rate_hz,
        tail_bytes=len(written.tail),
        sha1=written.raw.sha1,
    )

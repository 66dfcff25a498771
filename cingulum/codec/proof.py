"""Verifies a compressed recording: decodes all of it and compares hashes with the original's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cingulum.codec.chunked import ChunkedReader
from cingulum.codec.claims import Contradiction
from cingulum.codec.errors import DamagedChunk, ProofFailed
from cingulum.codec.pipeline import ordered_map, thread_count
from cingulum.digests import Digests, Hasher, hash_file


class Progress(NamedTuple):
    """Progress of a file: raw bytes done and in total, compressed bytes so far, and the current step."""

    step: str
    done_bytes: int
    total_bytes: int
    compressed_bytes: int


OnProgress = Callable[[Progress], None]
LOW_RATIO = 1.6


@dataclass(frozen=True)
class Compression:
    """The result of writing: sizes, and the hashes of the raw bytes that the file was verified to decode to.

    `contradictions` are claims of companions that the raw file's bytes contradict.
    `resumed_chunks` were written before a crash.
    """

    raw: Digests
    compressed: Digests
    files: tuple[Path, ...]
    n_samples: int
    n_channels: int
    n_chunks: int
    tail_bytes: int
    contradictions: tuple[Contradiction, ...] = ()
    resumed_chunks: int = 0

    @property
    def ratio(self) -> float:
        """Raw size over compressed size."""
        return self.raw.size_bytes / self.compressed.size_bytes if self.compressed.size_bytes else 1.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should check, as sentences."""
        sentences = []
        if self.ratio < LOW_RATIO and self.raw.size_bytes > 1 << 20:
            sentences.append(f"the ratio is only {self.ratio:.2f}: were {self.n_channels} channels saved?")
        if self.tail_bytes:
            sentences.append(f"the last sample is incomplete: {self.tail_bytes} bytes are stored unchanged")
        return (*sentences, *map(str, self.contradictions))


def digests_of(path: Path) -> Digests:
    """Size and all hashes of a file, for comparison with those of a recording."""
    return hash_file(path, sha1=True)


def decoded_digests(
    reader: ChunkedReader,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    memory_bytes: int | None = None,
) -> Digests:
    """Hashes of the bytes that a compressed recording decodes to; raises DamagedChunk."""
    hasher = Hasher(sha1=True)
    for raw in decoded_chunks(reader, threads, memory_bytes):
        hasher.update(raw)
        if on_progress:
            on_progress(Progress("verify", hasher.size_bytes, reader.raw_size_bytes, 0))
    hasher.update(reader.tail)
    return hasher.digests()


def decoded_chunks(
    reader: ChunkedReader, threads: int | None = None, memory_bytes: int | None = None, first: int = 0
) -> Iterator[memoryview]:
    """The raw bytes of each chunk in order, from chunk `first` on, decoded by several threads."""
    longest = max((b - a for a, b in pairwise(reader.chunk_bounds)), default=1)
    workers = thread_count(longest * reader.n_channels * reader.dtype.itemsize, threads, memory_bytes)
    for samples in ordered_map(reader.read_chunk, range(first, reader.n_chunks), workers):
        yield np.ascontiguousarray(samples).reshape(-1).view(np.uint8).data


def prove(
    reader: ChunkedReader,
    raw: Digests,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    memory_bytes: int | None = None,
) -> None:
    """Raise ProofFailed unless the recording decodes to exactly the bytes that were hashed as `raw`."""
    try:
        decoded = decoded_digests(reader, threads, on_progress, memory_bytes)
    except DamagedChunk as error:
        raise ProofFailed(f"the written file cannot be read back: {error}") from error
    if decoded != raw:
        raise ProofFailed(
            "the written file does not decode to the bytes that were read; nothing was replaced"
        )


def holds(
    reader: ChunkedReader,
    raw: Path,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    memory_bytes: int | None = None,
) -> Digests | None:
    """The digests of a file, if a compressed recording decodes to exactly its bytes; reads both completely."""
    if reader.raw_size_bytes != raw.stat().st_size:
        return None
    decoded = decoded_digests(reader, threads, on_progress, memory_bytes)
    return decoded if decoded == digests_of(raw) else None

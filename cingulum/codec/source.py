"""Sources of compression: a raw file, read once, or another compressed recording."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Protocol

from cingulum.codec.chunked import ChunkedReader
from cingulum.codec.errors import SourceChanged
from cingulum.codec.layout import RawLayout
from cingulum.codec.ranges import LocalFile
from cingulum.file_identity import FileIdentity

IDENTITY_BYTES = 1 << 20
LARGEST_CHUNK_BYTES = 24 << 20  # a second of a Neuropixels 1.0 probe; wider recordings get shorter chunks


class Source(Protocol):
    """Raw bytes in chunks of whole samples, then the bytes of an incomplete last sample.

    `read_chunk` may be called by several threads; `tail` is called last, and detects changes.
    """

    @property
    def layout(self) -> RawLayout: ...
    @property
    def chunk_bounds(self) -> tuple[int, ...]: ...
    @property
    def raw_suffix(self) -> str: ...
    def read_chunk(self, chunk: int) -> bytes: ...
    def tail(self) -> bytes: ...
    def identity(self) -> dict[str, object]: ...


def chunk_edges(n_samples: int, chunk_samples: int) -> tuple[int, ...]:
    """Where each chunk starts, then where the last one ends; counts samples per channel.

    >>> chunk_edges(n_samples=70_000, chunk_samples=30_000)
    (0, 30000, 60000, 70000)
    >>> chunk_edges(n_samples=0, chunk_samples=30_000)
    (0,)
    """
    return (*range(0, n_samples, chunk_samples), n_samples) if n_samples else (0,)


def _journalled_identity(path: Path) -> dict[str, object]:
    """Identity and first bytes of the source, to check after a crash that it is still the same file."""
    identity = FileIdentity.at(path)
    with path.open("rb") as file:
        start = hashlib.sha256(file.read(IDENTITY_BYTES)).hexdigest()
    return {
        "size": identity.size_bytes,
        "mtime_ns": identity.mtime_ns,
        "inode": identity.inode,
        "start": start,
    }


class RawFile:
    """A raw recording on a local disk; a change while it is read is detected."""

    def __init__(self, path: Path, layout: RawLayout, chunk_duration_s: float = 1.0) -> None:
        self.path = path
        self.layout = layout
        self.raw_suffix = path.suffix
        self._identity = FileIdentity.at(path)
        self.size_bytes = self._identity.size_bytes
        n_samples, self.tail_bytes = divmod(self.size_bytes, layout.bytes_per_sample)
        fitting = max(1, LARGEST_CHUNK_BYTES // layout.bytes_per_sample)
        self.chunk_bounds = chunk_edges(n_samples, min(fitting, layout.chunk_samples(chunk_duration_s)))

    def read_chunk(self, chunk: int) -> bytes:
        start, stop = self.chunk_bounds[chunk : chunk + 2]
        length = (stop - start) * self.layout.bytes_per_sample
        with LocalFile(self.path) as file:
            data = file(start * self.layout.bytes_per_sample, length)
        if len(data) != length:
            raise SourceChanged(f"{self.path.name} was truncated while it was read")
        return data

    def identity(self) -> dict[str, object]:
        return _journalled_identity(self.path)

    def tail(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.size_bytes - self.tail_bytes)
            tail = file.read(self.tail_bytes)
        if FileIdentity.at(self.path) != self._identity:
            raise SourceChanged(f"{self.path.name} was modified while it was read")
        return tail


class Decoded:
    """A compressed recording as the source of another format, chunk for chunk."""

    def __init__(self, reader: ChunkedReader, layout: RawLayout | None = None) -> None:
        self._reader = reader
        self.layout = layout or RawLayout(reader.n_channels, reader.sample_rate_hz, reader.dtype)
        self.chunk_bounds = tuple(reader.chunk_bounds)
        self.raw_suffix = reader.raw_suffix

    def read_chunk(self, chunk: int) -> bytes:
        return self._reader.read_chunk(chunk).tobytes()

    def tail(self) -> bytes:
        return self._reader.tail

    def identity(self) -> dict[str, object]:
        """Identity of the file on a local disk; an attempt with another source is never resumed."""
        path = self._reader.path
        return {"once": uuid.uuid4().hex} if path is None else _journalled_identity(path)

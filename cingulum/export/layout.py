"""The layout of a zip, known before any of its files is read: every byte's place, so that any range can be sent."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cingulum.export.zip_records import (
    FULL_16,
    Entry,
    central_header,
    central_header_bytes,
    descriptor,
    descriptor_bytes,
    end_records,
    local_header,
    local_header_bytes,
)

VERSION: Final = 1  # of the bytes that a layout gives; part of the ETag of what is sent


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes of the zip that do not depend on its files' content."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes `start` to `stop` of the file at `index`."""

    index: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Checksum:
    """Bytes `start` to `stop` of the record with the checksum of the file at `index`, which is needed for it."""

    index: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Directory:
    """Bytes `start` to `stop` of the directory at the end, for which the checksums of all files are needed."""

    start: int
    stop: int


Span = Literal | Content | Checksum | Directory


class Layout:
    """A zip of stored files in this order; `modified` is the time that all of them get.

    >>> from datetime import UTC
    >>> layout = Layout([Entry("a.txt", 3), Entry("b.txt", 0)], datetime(2026, 1, 1, tzinfo=UTC))
    >>> layout.size_bytes, [type(span).__name__ for span in layout.spans(0, 40)]
    (229, ['Literal', 'Content', 'Checksum'])
    """

    def __init__(self, entries: Sequence[Entry], modified: datetime) -> None:
        self.entries = tuple(entries)
        self.modified = modified
        paths: set[str] = set()
        self.offsets: list[int] = []
        at = 0
        for entry in self.entries:
            _check(entry, paths)
            self.offsets.append(at)
            at += local_header_bytes(entry) + entry.size_bytes + descriptor_bytes(entry)
        self.directory_at = at
        self._headers_bytes = sum(map(central_header_bytes, self.entries, self.offsets))
        end = end_records(len(self.entries), self.directory_at, self._headers_bytes)
        self.size_bytes = at + self._headers_bytes + len(end)

    def spans(self, start: int, stop: int) -> Iterator[Span]:
        """What the bytes `start` to `stop` of the zip consist of, in order."""
        first = max(0, bisect_right(self.offsets, start) - 1)
        for index in range(first, len(self.entries)):
            if self.offsets[index] >= stop:
                return
            yield from self._spans_of(index, start, stop)
        if stop > self.directory_at:
            yield Directory(max(start, self.directory_at) - self.directory_at, stop - self.directory_at)

    def _spans_of(self, index: int, start: int, stop: int) -> Iterator[Span]:
        entry, at = self.entries[index], self.offsets[index]
        data_at = at + local_header_bytes(entry)
        end_at = data_at + entry.size_bytes
        if start < data_at:
            yield Literal(local_header(entry, self.modified)[max(0, start - at) : stop - at])
        if max(start, data_at) < min(stop, end_at):
            yield Content(index, max(start, data_at) - data_at, min(stop, end_at) - data_at)
        after = end_at + descriptor_bytes(entry)
        if max(start, end_at) < min(stop, after):
            yield Checksum(index, max(start, end_at) - end_at, min(stop, after) - end_at)

    def checksum(self, span: Checksum, crc32: int) -> bytes:
        """The bytes of a `Checksum`."""
        return descriptor(self.entries[span.index], crc32)[span.start : span.stop]

    def directory(self, span: Directory, crc32s: Sequence[int]) -> bytes:
        """The bytes of a `Directory`, from the checksums of all files in order."""
        headers = b"".join(
            central_header(entry, offset, crc32, self.modified)
            for entry, offset, crc32 in zip(self.entries, self.offsets, crc32s, strict=True)
        )
        end = end_records(len(self.entries), self.directory_at, self._headers_bytes)
        return (headers + end)[span.start : span.stop]


def _check(entry: Entry, paths: set[str]) -> None:
    """Raise ValueError for a file that no zip can hold, and for a second one of a path."""
    if entry.path in paths:
        raise ValueError(f"two files are called {entry.path!r}")
    if not 0 < len(entry.path.encode()) <= FULL_16:
        raise ValueError(f"a name has 1 to {FULL_16} bytes, not {len(entry.path.encode())}")
    paths.add(entry.path)

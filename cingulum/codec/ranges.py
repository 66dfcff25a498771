"""Sources of compressed bytes: anything that reads by (offset, length)."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Protocol, Self

from cingulum.codec.errors import InvalidHeader


class ReadRange(Protocol):
    """Returns exactly `length` bytes from byte `offset`, fewer only at the end of the object."""

    def __call__(self, offset: int, length: int) -> bytes: ...


class LocalFile:
    """A file read by position, so that threads can share it.

    >>> with LocalFile(Path(__file__)) as file:
    ...     file(0, 3)
    b'\"\"\"'
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(
            path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        )
        self._position = Lock()
        self.size_bytes = os.fstat(self._descriptor).st_size

    def __call__(self, offset: int, length: int) -> bytes:
        part = self._read_at(length, offset)
        if len(part) == length:
            return part
        # Linux returns at most 2 GiB at once, and a network file system may return less.
        parts = [part]
        while part and (missing := length - sum(map(len, parts))) > 0:
            part = self._read_at(missing, offset + length - missing)
            parts.append(part)
        return b"".join(parts)

    def _read_at(self, length: int, offset: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._descriptor, length, offset)
        with self._position:  # Windows: the threads share one position
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            return os.read(self._descriptor, length)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def exactly(read_range: ReadRange, offset: int, length: int) -> bytes:
    """`length` bytes at `offset`. Raises InvalidHeader if the object is shorter than its header says.

    >>> exactly(lambda offset, length: b"abcdef"[offset : offset + length], 2, 3)
    b'cde'
    """
    data = read_range(offset, length)
    if len(data) != length:
        raise InvalidHeader(f"bytes {offset} to {offset + length} are needed, but the file ends before them")
    return data

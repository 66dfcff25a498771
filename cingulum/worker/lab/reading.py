"""Reading files that somebody may still be writing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cingulum.worker.below import LabFile

BLOCK_BYTES: Final = 4 << 20


class FileChanged(Exception):
    """The file was written to while it was read: what was read is of no file that ever was."""


@dataclass(frozen=True)
class Identity:
    """What changes when a file is written to: as long as it is the same, so are the bytes."""

    size_bytes: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Identity:
        """Of a file that was looked at."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)


@dataclass(frozen=True)
class Digests:
    """What a full read found."""

    size_bytes: int
    md5: str
    sha256: str


class Hasher:
    """MD5 and SHA-256 over bytes in order.

    >>> hasher = Hasher()
    >>> hasher.update(b"abc")
    >>> hasher.digests().md5, hasher.digests().size_bytes
    ('900150983cd24fb0d6963f7d28e17f72', 3)
    """

    def __init__(self) -> None:
        self._md5, self._sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        self._size_bytes = 0

    def update(self, block: bytes) -> None:
        """Take the next block."""
        self._md5.update(block)
        self._sha256.update(block)
        self._size_bytes += len(block)

    def digests(self) -> Digests:
        """Of all blocks so far."""
        return Digests(self._size_bytes, self._md5.hexdigest(), self._sha256.hexdigest())


class OpenFile:
    """A file that is read, and asked now and then whether it is still the same. Use it in a `with` block."""

    def __init__(self, file: LabFile) -> None:
        self.file = file
        self._descriptor = file.open()
        self.identity = Identity.of(os.fstat(self._descriptor))

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def read(self, start_byte: int, length_bytes: int) -> bytes:
        """Exactly these bytes. Raises FileChanged where the file has become shorter."""
        pieces: list[bytes] = []
        while length_bytes > 0:
            piece = _read_at(self._descriptor, length_bytes, start_byte)
            if not piece:
                raise FileChanged(f"{self.file.name} became shorter while it was read")
            pieces.append(piece)
            start_byte, length_bytes = start_byte + len(piece), length_bytes - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def blocks(self) -> Iterator[bytes]:
        """All of it, in order."""
        for start in range(0, self.identity.size_bytes, BLOCK_BYTES):
            yield self.read(start, min(BLOCK_BYTES, self.identity.size_bytes - start))

    def check_unchanged(self) -> None:
        """Raises FileChanged if it was written to, or another file has taken its name, since it was opened."""
        if not self.identity == Identity.of(os.fstat(self._descriptor)) == Identity.of(self.file.stat()):
            raise FileChanged(f"{self.file.name} was written to while it was read")


def _read_at(descriptor: int, length_bytes: int, start_byte: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, length_bytes, start_byte)
    os.lseek(descriptor, start_byte, os.SEEK_SET)  # Windows; one thread reads a file
    return os.read(descriptor, length_bytes)


def read_all(file: LabFile) -> tuple[Identity, Digests]:
    """Every byte once. Raises FileChanged, OSError."""
    hasher = Hasher()
    with OpenFile(file) as opened:
        for block in opened.blocks():
            hasher.update(block)
        opened.check_unchanged()
        return opened.identity, hasher.digests()


def read_small(file: LabFile) -> tuple[Identity, Digests, bytes]:
    """Every byte once, kept. Raises FileChanged, OSError."""
    with OpenFile(file) as opened:
        data = opened.read(0, opened.identity.size_bytes)
        opened.check_unchanged()
    hasher = Hasher()
    hasher.update(data)
    return opened.identity, hasher.digests(), data

"""Reads files that another program may still be writing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from cingulum.digests import Digests, Hasher
from cingulum.file_identity import FileChanged, FileIdentity
from cingulum.worker.lab_file import LabFile

BLOCK_BYTES: Final = 4 << 20


class OpenFile:
    """An open file that can be checked for changes. Use it in a `with` block."""

    def __init__(self, file: LabFile) -> None:
        self.file = file
        self._descriptor = file.open()
        self.identity = FileIdentity.of(os.fstat(self._descriptor))

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def read(self, start_byte: int, length_bytes: int) -> bytes:
        """Exactly these bytes. Raises FileChanged if the file has become shorter."""
        pieces: list[bytes] = []
        while length_bytes > 0:
            piece = _read_at(self._descriptor, length_bytes, start_byte)
            if not piece:
                raise FileChanged(f"{self.file.name} was truncated while it was read")
            pieces.append(piece)
            start_byte, length_bytes = start_byte + len(piece), length_bytes - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def digests(self) -> Digests:
        """Digests of all its bytes. Raises FileChanged."""
        hasher = Hasher()
        for block in self._blocks():
            hasher.update(block)
        self.check_unchanged()
        return hasher.digests()

    def check_unchanged(self) -> None:
        """Raises FileChanged if it was written to, or another file has its name, since it was opened."""
        now = FileIdentity.of(os.fstat(self._descriptor)), FileIdentity.of(self.file.stat())
        if now != (self.identity, self.identity):
            raise FileChanged(f"{self.file.name} was modified while it was read")

    def _blocks(self) -> Iterator[bytes]:
        for start in range(0, self.identity.size_bytes, BLOCK_BYTES):
            yield self.read(start, min(BLOCK_BYTES, self.identity.size_bytes - start))


def _read_at(descriptor: int, length_bytes: int, start_byte: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, length_bytes, start_byte)
    os.lseek(descriptor, start_byte, os.SEEK_SET)  # Windows; one thread reads a file
    return os.read(descriptor, length_bytes)


def read_digests(file: LabFile) -> tuple[FileIdentity, Digests]:
    """Read every byte once. Raises FileChanged, OSError."""
    with OpenFile(file) as opened:
        return opened.identity, opened.digests()


def read_small(file: LabFile) -> tuple[FileIdentity, Digests, bytes]:
    """Read every byte once, and return them. Raises FileChanged, OSError."""
    with OpenFile(file) as opened:
        data = opened.read(0, opened.identity.size_bytes)
        opened.check_unchanged()
    hasher = Hasher()
    hasher.update(data)
    return opened.identity, hasher.digests(), data

"""Size and hashes of bytes, all from one read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

_BLOCK_BYTES = 4 << 20


@dataclass(frozen=True, kw_only=True)
class Digests:
    """Size and hashes of some bytes; "" for a hash that was not computed.

    sha256  identifies the bytes: the only hash that is trusted
    sha1    what SpikeGLX writes into its .meta
    md5     what ONE and Alyx compare
    """

    size_bytes: int
    sha256: str
    sha1: str = ""
    md5: str = ""


class Hasher:
    """Size, SHA-256 and, as requested, SHA-1 and MD5 of blocks in order; other threads run meanwhile.

    >>> hasher = Hasher()
    >>> hasher.update(b"ab")
    >>> hasher.update(b"c")
    >>> hasher.digests().md5, hasher.size_bytes
    ('900150983cd24fb0d6963f7d28e17f72', 3)
    """

    def __init__(self, *, md5: bool = True, sha1: bool = False) -> None:
        self.size_bytes = 0
        self._sha256 = hashlib.sha256()
        # Only compared with what SpikeGLX and ONE have recorded: security never depends on them.
        self._sha1 = hashlib.sha1(usedforsecurity=False) if sha1 else None
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None

    def update(self, block: bytes | bytearray | memoryview) -> None:
        self.size_bytes += len(block)
        for digest in (self._sha256, self._sha1, self._md5):
            if digest is not None:
                digest.update(block)

    def digests(self) -> Digests:
        """Of all blocks so far."""
        return Digests(
            size_bytes=self.size_bytes,
            sha256=self._sha256.hexdigest(),
            sha1=self._sha1.hexdigest() if self._sha1 is not None else "",
            md5=self._md5.hexdigest() if self._md5 is not None else "",
        )


def hash_bytes(data: bytes) -> Digests:
    """Size, SHA-256 and MD5 of bytes in memory.

    >>> hash_bytes(b"").sha256[:8]
    'e3b0c442'
    """
    hasher = Hasher()
    hasher.update(data)
    return hasher.digests()


def hash_file(path: Path, *, sha1: bool = False) -> Digests:
    """Read a whole file once."""
    hasher = Hasher(sha1=sha1)
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            hasher.update(block)
    return hasher.digests()

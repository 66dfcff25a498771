"""The hashes of a file, all from one read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Digests:
    """Size and hashes of some bytes: SHA-256 is what we trust, SHA-1 is SpikeGLX's, MD5 is ONE's."""

    size_bytes: int
    sha256: str
    sha1: str
    md5: str


class Hasher:
    """Feeds bytes to all hashes at once.

    >>> hasher = Hasher()
    >>> hasher.update(b"abc")
    >>> hasher.digests().md5
    '900150983cd24fb0d6963f7d28e17f72'
    """

    def __init__(self) -> None:
        self.size_bytes = 0
        self._sha256 = hashlib.sha256()
        # Only to be compared with what SpikeGLX and ONE wrote down; nothing rests on them.
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, data: bytes | memoryview) -> None:
        self.size_bytes += len(data)
        for digest in (self._sha256, self._sha1, self._md5):
            digest.update(data)

    def digests(self) -> Digests:
        return Digests(
            self.size_bytes, self._sha256.hexdigest(), self._sha1.hexdigest(), self._md5.hexdigest()
        )


def digests_of(path: Path) -> Digests:
    """Hash a file that lies on a disk."""
    hasher = Hasher()
    with path.open("rb") as file:
        while block := file.read(4 << 20):
            hasher.update(block)
    return hasher.digests()

"""Hashing while bytes go by."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterable, AsyncIterator

from libs.common.storage.store import (
    BLOCK_BYTES,
    LARGEST_PART_BYTES,
    ChecksumMismatch,
    Digest,
    PartRefused,
    checked_sha256,
)


class Hasher:
    """SHA-256, and MD5 beside it where an Alyx client will ask for it, over blocks in order.

    >>> hasher = Hasher()
    >>> hasher.update(b"abc")
    >>> hasher.digest().md5
    '900150983cd24fb0d6963f7d28e17f72'
    """

    def __init__(self, *, md5: bool = True) -> None:
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None
        self.size_bytes = 0

    def update(self, block: bytes | bytearray | memoryview) -> None:
        """Take the next block; lets other threads run meanwhile."""
        self._sha256.update(block)
        if self._md5 is not None:
            self._md5.update(block)
        self.size_bytes += len(block)

    def digest(self) -> Digest:
        """Of all blocks so far; md5 is the empty text if it was not asked for."""
        md5 = self._md5.hexdigest() if self._md5 is not None else ""
        return Digest(sha256=self._sha256.hexdigest(), md5=md5, size_bytes=self.size_bytes)


def digest_of(data: bytes) -> Digest:
    """Of bytes in memory.

    >>> digest_of(b"").sha256[:8]
    'e3b0c442'
    """
    hasher = Hasher()
    hasher.update(data)
    return hasher.digest()


def agree(found: Digest, expected_sha256: str | None) -> Digest:
    """The same digest, if it is the announced one (or none was); raises ChecksumMismatch."""
    if expected_sha256 is not None and found.sha256 != checked_sha256(expected_sha256):
        raise ChecksumMismatch(expected_sha256, found.sha256)
    return found


async def blocks_of(
    chunks: AsyncIterable[bytes], limit_bytes: int = LARGEST_PART_BYTES
) -> AsyncIterator[bytearray]:
    """Regroup what a network delivers (often 64 KiB) into blocks of about BLOCK_BYTES.

    Raises PartRefused as soon as more than `limit_bytes` came, so that nobody fills a disk with one part.
    """
    block, total_bytes = bytearray(), 0
    async for chunk in chunks:
        total_bytes += len(chunk)
        if total_bytes > limit_bytes:
            raise PartRefused(f"A part holds at most {limit_bytes} bytes: send the file in more parts.")
        block += chunk
        if len(block) >= BLOCK_BYTES:
            yield block
            block = bytearray()
    if block:
        yield block

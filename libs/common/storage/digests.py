"""Hashing of streamed bytes."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

from cingulum.digests import Digests
from libs.common.storage.keys import checked_sha256
from libs.common.storage.problems import ChecksumMismatch, PartRefused
from libs.common.storage.store import BLOCK_BYTES, LARGEST_PART_BYTES


def agree(actual: Digests, expected_sha256: str | None) -> Digests:
    """The same digest, if it is the announced one (or none was); raises ChecksumMismatch."""
    if expected_sha256 is not None and actual.sha256 != checked_sha256(expected_sha256):
        raise ChecksumMismatch(expected_sha256, actual.sha256)
    return actual


async def blocks_of(
    chunks: AsyncIterable[bytes], limit_bytes: int = LARGEST_PART_BYTES
) -> AsyncIterator[bytearray]:
    """Regroup what a network delivers (often 64 KiB) into blocks of about BLOCK_BYTES.

    Raises PartRefused as soon as more than `limit_bytes` came, so that one part cannot fill a disk.
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

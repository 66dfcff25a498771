"""Bytes for tests, and what they hash to."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator


def random_bytes(size_bytes: int, seed: int = 1) -> bytes:
    """The same bytes for the same seed."""
    return random.Random(seed).randbytes(size_bytes)


def sha256(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def md5(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


async def stream(data: bytes, chunk_bytes: int = 65_536) -> AsyncIterator[bytes]:
    """The bytes as a network would bring them."""
    for start in range(0, len(data), chunk_bytes):
        yield data[start : start + chunk_bytes]

"""CRC-32 (the one of zlib, PNG and Ethernet) by the fastest engines that are installed."""

from __future__ import annotations

import zlib
from collections.abc import Callable

# Both wheels are several times as fast as zlib. libdeflate's keeps the interpreter lock, which for few bytes is the
# quickest; zlib-ng's lets other threads work meanwhile.
_of_few: Callable[[bytes | memoryview], int]
_of_many: Callable[[bytes | memoryview], int]
try:
    from deflate import crc32 as _of_few
except ImportError:
    _of_few = zlib.crc32
try:
    from zlib_ng.zlib_ng import crc32 as _of_many
except ImportError:
    _of_many = zlib.crc32
MANY_BYTES = 1 << 18


def crc32(data: bytes | memoryview) -> int:
    """Checksum of bytes: the same number from every engine.

    >>> crc32(b"123456789") == 0xCBF43926
    True
    """
    return (_of_many if len(data) >= MANY_BYTES else _of_few)(data)

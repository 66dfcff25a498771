"""CRC-32 (the one of zlib, PNG and Ethernet) by the fastest engines that are installed."""

from __future__ import annotations

import zlib
from collections.abc import Callable

# Both wheels are several times as fast as zlib, and each stands in for the other. libdeflate's keeps the interpreter
# lock, which for few bytes is the quickest; zlib-ng's lets other threads work meanwhile.
MANY_BYTES = 1 << 18  # 10 microseconds of work: as long as threads take to change over
Engine = Callable[[bytes | memoryview], int]


def _installed() -> dict[str, Engine]:
    found: dict[str, Engine] = {}
    try:
        from deflate import crc32 as libdeflate

        found["libdeflate"] = libdeflate
    except ImportError:
        pass  # the others do
    try:
        from zlib_ng.zlib_ng import crc32 as zlib_ng

        found["zlib-ng"] = zlib_ng
    except ImportError:
        pass  # as above
    return found


_engines = _installed()
_of_few = _engines.get("libdeflate") or _engines.get("zlib-ng") or zlib.crc32
_of_many = _engines.get("zlib-ng") or _engines.get("libdeflate") or zlib.crc32


def crc32(data: bytes | memoryview) -> int:
    """Checksum of bytes: the same number from every engine.

    >>> crc32(b"123456789") == 0xCBF43926
    True
    """
    return (_of_many if len(data) >= MANY_BYTES else _of_few)(data)

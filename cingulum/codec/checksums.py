"""CRC-32 (the one of zlib, PNG and Ethernet) by the fastest engines that are installed."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

Engine = Callable[[bytes | memoryview], int]
MANY_BYTES = 1 << 18  # 10 microseconds of work: as long as threads take to change over


def _first_of(*modules: str) -> Engine:
    """The checksum of the first of these that is installed; zlib always is."""
    for name in modules:
        with suppress(ImportError):
            engine: Engine = import_module(name).crc32
            return engine
    return zlib.crc32


# Both wheels are several times as fast as zlib. libdeflate's keeps the interpreter lock, which for few bytes is the
# quickest; zlib-ng's lets other threads work meanwhile.
_of_few = _first_of("deflate", "zlib_ng.zlib_ng")
_of_many = _first_of("zlib_ng.zlib_ng", "deflate")


def crc32(data: bytes | memoryview) -> int:
    """Checksum of bytes: the same number from every engine.

    >>> crc32(b"123456789") == 0xCBF43926
    True
    """
    return (_of_many if len(data) >= MANY_BYTES else _of_few)(data)

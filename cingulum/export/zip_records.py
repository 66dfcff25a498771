"""The records of a zip whose files are stored as they are, with checksums after the data.

Source: APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (sections in brackets)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FULL_32: Final = 0xFFFF_FFFF  # "see the ZIP64 field"; so the largest real value is one less
FULL_16: Final = 0xFFFF
_FLAGS: Final = 0x0008 | 0x0800  # checksums follow the data [4.4.4 bit 3]; names are UTF-8 [bit 11]
_STORED: Final = 0
_PLAIN, _ZIP64 = 20, 45  # version needed to extract [4.4.3]
_UNIX_FILE: Final = 0o100644 << 16
_LOCAL, _DESCRIPTOR, _CENTRAL = b"PK\x03\x04", b"PK\x07\x08", b"PK\x01\x02"
_END_64, _LOCATOR_64, _END = b"PK\x06\x06", b"PK\x06\x07", b"PK\x05\x06"
_FIRST_YEAR, _LAST_YEAR = 1980, 2107


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a zip; `path` has forward slashes and is relative."""

    path: str
    size_bytes: int

    @property
    def is_large(self) -> bool:
        """Whether its sizes need 8 bytes."""
        return self.size_bytes >= FULL_32


def dos_time(moment: datetime) -> tuple[int, int]:
    """Time and date as [4.4.6] packs them, in steps of two seconds; years outside 1980 to 2107 are cut.

    >>> from datetime import UTC
    >>> [hex(part) for part in dos_time(datetime(2026, 12, 1, 13, 30, 58, tzinfo=UTC))]
    ['0x6bdd', '0x5d81']
    """
    year = min(max(moment.year, _FIRST_YEAR), _LAST_YEAR) - _FIRST_YEAR
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    return time, year << 9 | moment.month << 5 | moment.day


def local_header(entry: Entry, moment: datetime) -> bytes:
    """What stands before the data of a file [4.3.7]: no checksum and no size yet."""
    name = entry.path.encode()
    extra = struct.pack("<HHQQ", 1, 16, 0, 0) if entry.is_large else b""
    size = FULL_32 if entry.is_large else 0
    version = _ZIP64 if entry.is_large else _PLAIN
    time, date = dos_time(moment)
    fixed = struct.pack(
        "<4s5H3L2H", _LOCAL, version, _FLAGS, _STORED, time, date, 0, size, size, len(name), len(extra)
    )
    return fixed + name + extra


def local_header_bytes(entry: Entry) -> int:
    """Length of `local_header`."""
    return 30 + len(entry.path.encode()) + (20 if entry.is_large else 0)


def descriptor(entry: Entry, crc32: int) -> bytes:
    """What follows the data of a file [4.3.9]."""
    sizes = "QQ" if entry.is_large else "LL"
    return struct.pack(f"<4sL{sizes}", _DESCRIPTOR, crc32, entry.size_bytes, entry.size_bytes)


def descriptor_bytes(entry: Entry) -> int:
    """Length of `descriptor`."""
    return 24 if entry.is_large else 16


def central_header(entry: Entry, offset: int, crc32: int, moment: datetime) -> bytes:
    """The file's record in the directory at the end [4.3.12]."""
    name, extra = entry.path.encode(), _large_fields(entry, offset)
    size = FULL_32 if entry.is_large else entry.size_bytes
    version = _ZIP64 if extra else _PLAIN
    time, date = dos_time(moment)
    fixed = struct.pack(
        "<4s6H3L5H2L",
        _CENTRAL,
        3 << 8 | _ZIP64,
        version,
        _FLAGS,
        _STORED,
        time,
        date,
        crc32,
        size,
        size,
        len(name),
        len(extra),
        0,
        0,
        0,
        _UNIX_FILE,
        min(offset, FULL_32),
    )
    return fixed + name + extra


def central_header_bytes(entry: Entry, offset: int) -> int:
    """Length of `central_header`."""
    return 46 + len(entry.path.encode()) + len(_large_fields(entry, offset))


def _large_fields(entry: Entry, offset: int) -> bytes:
    """The ZIP64 field [4.5.3]: of sizes and offset those that do not fit, in this order."""
    values = [entry.size_bytes] * 2 if entry.is_large else []
    if offset >= FULL_32:
        values.append(offset)
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""


def end_records(n_entries: int, directory_at: int, directory_bytes: int) -> bytes:
    """The end of the zip: [4.3.16], before it [4.3.14] and [4.3.15] where a number does not fit."""
    end = struct.pack(
        "<4s4H2LH",
        _END,
        0,
        0,
        min(n_entries, FULL_16),
        min(n_entries, FULL_16),
        min(directory_bytes, FULL_32),
        min(directory_at, FULL_32),
        0,
    )
    if n_entries < FULL_16 and directory_bytes < FULL_32 and directory_at < FULL_32:
        return end
    counts = (n_entries, n_entries, directory_bytes, directory_at)
    large = struct.pack("<4sQ2H2L4Q", _END_64, 44, 3 << 8 | _ZIP64, _ZIP64, 0, 0, *counts)
    locator = struct.pack("<4sLQL", _LOCATOR_64, 0, directory_at + directory_bytes, 1)
    return large + locator + end

"""The fixed header of a chunk: its method, type and shape, checksums, and the size of the head that follows.

`docs/reference/codec-format.md` describes every byte.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from cingulum.codec.checksums import crc32
from cingulum.codec.errors import InvalidHeader

MAGIC = b"CGC1"
FIXED = struct.Struct("<4sBBBBIIIII")  # magic method kind itemsize flags samples channels crc head, its crc
RAW, BYTES, PREDICTED = 0, 1, 2
HAS_ORDER, HAS_WEIGHTS, HAS_CODE_BOOK, HAS_TABLES = 1, 2, 4, 8
ALL_FLAGS = HAS_ORDER | HAS_WEIGHTS | HAS_CODE_BOOK | HAS_TABLES
MAX_RAW_BYTES = 1 << 30
MAX_CHANNELS = 1 << 20
KINDS = b"iufbcSV?mM"  # not U, because numpy counts characters after that letter, not bytes


@dataclass(frozen=True)
class Fixed:
    """The first 28 bytes of every chunk."""

    method: int
    dtype: np.dtype[Any]
    n_samples: int
    n_channels: int
    raw_crc: int
    flags: int = 0
    head_bytes: int = 0

    @property
    def raw_bytes(self) -> int:
        """Size of the chunk before compression."""
        return self.n_samples * self.n_channels * self.dtype.itemsize

    def pack(self, head: bytes) -> bytes:
        """The 28 bytes of the header with the head that follows."""
        start = FIXED.pack(
            MAGIC,
            self.method,
            ord(self.dtype.kind),
            self.dtype.itemsize,
            self.flags,
            self.n_samples,
            self.n_channels,
            self.raw_crc,
            len(head),
            0,
        )[:-4]
        return start + struct.pack("<I", crc32(start + head)) + head

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read and check the first 28 bytes; raises InvalidHeader."""
        if len(data) < FIXED.size:
            raise InvalidHeader("the chunk is shorter than its header")
        magic, method, kind, itemsize, flags, samples, channels, raw_crc, head, _ = FIXED.unpack_from(data)
        if magic != MAGIC or method > PREDICTED:
            raise InvalidHeader("this is not a chunk, or a chunk of an unsupported version")
        fixed = cls(method, _dtype(kind, itemsize), samples, channels, raw_crc, flags, head)
        if channels > MAX_CHANNELS or fixed.raw_bytes > MAX_RAW_BYTES:
            raise InvalidHeader(f"{samples} samples x {channels} channels are more than a chunk may hold")
        if method == PREDICTED and (samples == 0 or channels == 0 or not predictable(fixed.dtype)):
            raise InvalidHeader("a predicted chunk holds integers of 2 or 4 bytes, and at least one")
        if flags & ~(ALL_FLAGS if method == PREDICTED else 0):
            raise InvalidHeader("the chunk has unknown flags")
        # Per channel: 15 arrays of at most 4 bytes, 8 weights, 256 table entries; and the code book.
        if head > 4_096 + channels * 512 + (1 << 17):
            raise InvalidHeader("the chunk's header is larger than its channels require")
        return fixed

    def check(self, data: bytes) -> None:
        """Raise InvalidHeader unless the checksum of header and head is right."""
        end = FIXED.size + self.head_bytes
        if len(data) < end:
            raise InvalidHeader("the chunk ends within its head")
        (stored,) = struct.unpack_from("<I", data, FIXED.size - 4)
        if crc32(bytes(data[: FIXED.size - 4]) + bytes(data[FIXED.size : end])) != stored:
            raise InvalidHeader("the chunk's header is damaged")


def storable(dtype: np.dtype[Any]) -> bool:
    """Whether the two bytes of the header can represent this type of numbers.

    >>> storable(np.dtype("<c16")), storable(np.dtype("S300")), storable(np.dtype(object))
    (True, False, False)
    """
    return ord(dtype.kind) in KINDS and 0 < dtype.itemsize < 256


def predictable(dtype: np.dtype[Any]) -> bool:
    """Whether numbers of a type can be predicted: integers of 16 and of 32 bits.

    >>> predictable(np.dtype("<u4")), predictable(np.dtype("<i8"))
    (True, False)
    """
    return dtype.kind in "iu" and dtype.itemsize in (2, 4)


def _dtype(kind: int, itemsize: int) -> np.dtype[Any]:
    # NumPy accepts types without a length, but lengthens them in some operations.
    if kind not in KINDS or itemsize == 0:
        raise InvalidHeader(f"type {kind} of {itemsize} bytes is unknown")
    try:
        return np.dtype(f"<{chr(kind)}{itemsize}")
    except TypeError as error:
        raise InvalidHeader(f"type {chr(kind)}{itemsize} is unknown") from error

"""The head of a compressed chunk: its parameters, their encoding, and where each channel's bytes are.

`docs/reference/codec-format.md` describes every byte.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import zstandard
from numpy.typing import NDArray

from cingulum.codec.errors import InvalidHeader
from cingulum.codec.fit import MAX_COEFFICIENT_SUM, MAX_ORDER, MAX_WEIGHT_SUM, N_NEIGHBOURS
from cingulum.codec.fixed_header import (
    FIXED,
    HAS_CODE_BOOK,
    HAS_ORDER,
    HAS_TABLES,
    HAS_WEIGHTS,
    MAX_CHANNELS,
    Fixed,
)
from cingulum.codec.parts import MAX_SHIFT, low_bytes
from cingulum.codec.plain_rans import LOWEST_STATE
from cingulum.codec.symbol_tables import N_SYMBOLS, frequencies_of, pack_levels, unpack_levels

MAX_SEGMENTS = 64
MAX_WAYS = 16


@dataclass
class Head:
    """Parameters of a predicted chunk; every array follows the coding order of the channels.

    order            channel number at each place; None if it is 0, 1, 2 ...
    code_book        sorted codes whose ranks were compressed, and `ranked`: 1 for each such channel
    exceptions       per channel: number of symbols that are escapes
    symbol_bytes     per frame: length of its entropy-coded part
    frame_crcs       per frame: CRC-32 of all its bytes
    states, words    per channel: its final rANS states, and its number of words
    levels           per channel: symbol table; None if frames are zstd
    """

    offsets: NDArray[np.int32]
    coefficients: NDArray[np.int16]
    segments: int
    channels_per_frame: int
    shifts: NDArray[np.uint8]
    exceptions: NDArray[np.uint32]
    symbol_bytes: NDArray[np.uint32]
    frame_crcs: NDArray[np.uint32]
    weights: NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, N_NEIGHBOURS), np.int16))
    order: NDArray[np.uint32] | None = None
    code_book: NDArray[np.int16] | None = None
    ranked: NDArray[np.uint8] | None = None
    states: NDArray[np.uint64] | None = None
    words: NDArray[np.uint32] | None = None
    levels: NDArray[np.uint8] | None = None

    @property
    def ways(self) -> int:
        """Number of rANS states per channel; 0 if frames are zstd."""
        return 0 if self.states is None else self.states.shape[1]

    @property
    def flags(self) -> int:
        """Flags of the optional sections that are present."""
        return (
            HAS_ORDER * (self.order is not None)
            | HAS_WEIGHTS * bool(self.weights.any())
            | HAS_CODE_BOOK * (self.code_book is not None)
            | HAS_TABLES * (self.levels is not None)
        )

    def pack(self) -> bytes:
        """All sections as bytes, each a length and a zstd frame."""
        arrays: list[NDArray[Any]] = [
            np.array([self.segments, self.channels_per_frame, self.ways], np.uint32),
            self.offsets,
            self.coefficients,
            self.shifts,
            self.exceptions,
            self.symbol_bytes,
            self.frame_crcs,
        ]
        if self.flags & HAS_ORDER and self.order is not None:
            arrays.append(self.order)
        if self.flags & HAS_WEIGHTS:
            arrays.append(self.weights)
        if self.code_book is not None and self.ranked is not None:
            arrays += [self.code_book, self.ranked]
        if self.levels is not None and self.states is not None and self.words is not None:
            last, packed = pack_levels(self.levels)
            arrays += [self.states, self.words, last, np.frombuffer(packed, np.uint8)]
        compressor = zstandard.ZstdCompressor(level=3)
        sections = [compressor.compress(_shuffle(array)) for array in arrays]
        return b"".join(struct.pack("<I", len(section)) + section for section in sections)

    @classmethod
    def parse(cls, fixed: Fixed, data: bytes) -> Self:
        """Read the sections after the fixed header; raises InvalidHeader."""
        reader = _Sections(data[FIXED.size : FIXED.size + fixed.head_bytes])
        n = fixed.n_channels
        segments, per_frame, ways = (int(value) for value in reader.array("<u4", 3))
        if not 0 < segments <= min(MAX_SEGMENTS, fixed.n_samples) or not 0 < per_frame <= MAX_CHANNELS:
            raise InvalidHeader("segments and frames must hold at least one sample and channel")
        if ways > MAX_WAYS or (ways > 0) != bool(fixed.flags & HAS_TABLES):
            raise InvalidHeader("the number of rANS states is impossible")
        n_frames = -(-n // per_frame)
        head = cls(
            segments=segments,
            channels_per_frame=per_frame,
            offsets=reader.array("<i4", n),
            coefficients=reader.array("<i2", n * MAX_ORDER).reshape(n, MAX_ORDER),
            shifts=reader.array("u1", n),
            exceptions=reader.array("<u4", n),
            symbol_bytes=reader.array("<u4", n_frames),
            frame_crcs=reader.array("<u4", n_frames),
        )
        if fixed.flags & HAS_ORDER:
            head.order = reader.array("<u4", n)
        shape = (n, N_NEIGHBOURS)
        head.weights = np.zeros(shape, np.int16)
        if fixed.flags & HAS_WEIGHTS:
            head.weights = reader.array("<i2", n * N_NEIGHBOURS).reshape(shape)
        if fixed.flags & HAS_CODE_BOOK:
            head.code_book = reader.array("<i2", None, largest=1 << 16)
            head.ranked = reader.array("u1", n)
        if fixed.flags & HAS_TABLES:
            head.states = reader.array("<u8", n * ways).reshape(n, ways)
            head.words = reader.array("<u4", n)
            last = reader.array("u1", n)
            packed = reader.array("u1", None, largest=n * N_SYMBOLS)
            try:
                head.levels = unpack_levels(last, packed)
            except ValueError as error:
                raise InvalidHeader(str(error)) from error
        head.check(fixed)
        return head

    def check(self, fixed: Fixed) -> None:
        """Raise InvalidHeader if numbers would overflow or point outside."""
        if (np.abs(self.coefficients.astype(np.int32)).sum(axis=1) > MAX_COEFFICIENT_SUM).any():
            raise InvalidHeader("coefficients are larger than 32-bit sums allow")
        if (np.abs(self.weights.astype(np.int32)).sum(axis=1) > MAX_WEIGHT_SUM).any():
            raise InvalidHeader("weights are larger than 32-bit sums allow")
        lag = np.arange(1, N_NEIGHBOURS + 1)
        if self.weights[lag[None, :] > np.arange(len(self.weights))[:, None]].any():
            raise InvalidHeader("weights point before the first channel")
        if self.shifts.max(initial=0) > MAX_SHIFT or self.exceptions.max(initial=0) > fixed.n_samples:
            raise InvalidHeader("shifts or exceptions are impossible")
        if self.order is not None and not np.array_equal(np.sort(self.order), np.arange(fixed.n_channels)):
            raise InvalidHeader("the coding order does not hold each channel once")
        if self.words is not None and not np.array_equal(
            self.words.astype(np.int64) * 4, self.symbol_bytes[: len(self.words)]
        ):
            raise InvalidHeader("the lengths of the rANS streams contradict each other")
        if (
            self.states is not None
            and ((self.states < LOWEST_STATE) | (self.states >> np.uint64(63) > 0)).any()
        ):
            raise InvalidHeader("a rANS state is impossible")

    def frequencies(self, places: NDArray[np.int64]) -> NDArray[np.uint32]:
        """Symbol frequencies (len(places), 256). Raises InvalidHeader if there are no valid tables."""
        if self.levels is None:
            raise InvalidHeader("the chunk has no symbol tables")
        try:
            return frequencies_of(self.levels[places])
        except ValueError as error:
            raise InvalidHeader(str(error)) from error

    def frame_edges(self, n_samples: int) -> NDArray[np.int64]:
        """Offset of each frame from the end of the head; the last entry is the end."""
        extra = low_bytes(self.shifts, n_samples) + 2 * self.exceptions.astype(np.int64)
        per_frame = np.add.reduceat(extra, np.arange(0, len(extra), self.channels_per_frame))
        edges: NDArray[np.int64] = np.concatenate([[0], np.cumsum(per_frame + self.symbol_bytes)])
        return edges


def _shuffle(array: NDArray[Any]) -> bytes:
    """The first byte of all numbers, then the second bytes, and so on, which compresses better."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8).reshape(-1, little.dtype.itemsize).T.tobytes()


class _Sections:
    """Reads the sections in order, never more than the expected size."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._engine = zstandard.ZstdDecompressor()

    def array(self, dtype: str, count: int | None, largest: int = 0) -> NDArray[Any]:
        kind = np.dtype(dtype)
        length = int.from_bytes(self._data[self._at : self._at + 4], "little")
        section = self._data[self._at + 4 : self._at + 4 + length]
        self._at += 4 + length
        most = (largest if count is None else count) * kind.itemsize
        try:
            if len(section) != length or not 0 <= zstandard.frame_content_size(section) <= most:
                raise InvalidHeader("a section of the header has an impossible size")
            raw = self._engine.decompress(section, max_output_size=most, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise InvalidHeader(f"a section of the header is damaged ({error})") from error
        if len(raw) % kind.itemsize or (count is not None and len(raw) != count * kind.itemsize):
            raise InvalidHeader("a section of the header has the wrong length")
        planes = np.frombuffer(raw, np.uint8).reshape(kind.itemsize, -1)
        return np.ascontiguousarray(planes.T).view(kind).reshape(-1)

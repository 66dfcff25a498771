"""Encodes and decodes one chunk of a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import zstandard
from numpy.typing import NDArray

from cingulum.codec.checksums import crc32
from cingulum.codec.chunk_head import BYTES, FIXED, PREDICTED, RAW, Fixed, Head, predictable, storable
from cingulum.codec.code_book import find_code_book, rank_table
from cingulum.codec.errors import CodecError, InvalidHeader, InvalidLayout
from cingulum.codec.fit import FIT_SAMPLES, GROUP_CHANNELS, MAX_ORDER, N_NEIGHBOURS, Predictor, fit
from cingulum.codec.frames import Body, Frame, read_frames, write_frames
from cingulum.codec.kernels import Kernel, KernelName, kernel_named
from cingulum.codec.parts import Prediction

Preset = Literal["small", "fast"]
Samples = NDArray[Any]
Fetch = Callable[[int, int], bytes | memoryview]
RANK_BLOCK = 256  # samples: a block of 385 channels stays in the L2 cache
MIN_FIT_SAMPLES = 256
MIN_TABLE_SAMPLES = 2_048  # with fewer samples, a symbol table costs more than Huffman coding loses
MIN_FRAME_SYMBOLS = 8_192
SEGMENTS = 30  # divides one second at 30 kHz without remainder
MIN_SEGMENT = 1_000
SMALL_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class Settings:
    """Parameters of a preset."""

    order: int
    spatial: bool
    tables: bool


PRESETS: dict[Preset, Settings] = {
    "small": Settings(order=4, spatial=True, tables=True),
    "fast": Settings(order=2, spatial=False, tables=False),
}


def encode(
    samples: Samples,
    *,
    preset: Preset = "small",
    kernel: KernelName | None = None,
    digital: Sequence[int] = (),
    shanks: Sequence[int] = (),
) -> bytes:
    """Compress one chunk, losslessly; both kernels give the same bytes.

    samples   (n_samples, n_channels); 16-bit integers, and 32-bit ones of small range, are
              predicted, all other types are compressed as bytes
    preset    "small", or "fast": about 4 % larger, and twice as fast
    digital   channels that carry bits instead of volts, such as the sync word
    shanks    shank of each channel from the first on; only channels of the same shank predict each other

    >>> chunk = np.arange(40, dtype="int16").reshape(20, 2)
    >>> np.array_equal(decode(encode(chunk)), chunk)
    True
    """
    if samples.ndim != 2:
        raise InvalidLayout(f"a chunk must have two axes, time and channel, not {samples.ndim}")
    if not storable(samples.dtype):
        raise InvalidLayout(f"a chunk cannot hold numbers of type {samples.dtype}")
    if preset not in PRESETS:
        raise ValueError(f"{preset!r} is not a preset: small or fast")
    samples = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<"))
    raw = samples.reshape(-1).view(np.uint8)
    fixed = Fixed(RAW, samples.dtype, samples.shape[0], samples.shape[1], crc32(raw.data))
    candidates = []
    offsets = channel_offsets(samples)
    if offsets is not None:
        places = coding_order(samples.shape[1], digital, shanks)
        head, frames = _encode_predicted(samples, offsets, places, PRESETS[preset], kernel_named(kernel))
        sections = head.pack()
        full = replace(fixed, method=PREDICTED, flags=head.flags, head_bytes=len(sections))
        candidates.append(b"".join([full.pack(sections), *frames]))
    if offsets is None or raw.size <= SMALL_CHUNK_BYTES:
        candidates.append(_encode_bytes(raw, fixed))
    smallest = min(candidates, key=len)
    return smallest if len(smallest) < FIXED.size + raw.size else fixed.pack(b"") + raw.tobytes()


def decode(data: bytes, *, kernel: KernelName | None = None) -> Samples:
    """The samples of one chunk, (n_samples, n_channels), C order, in their own type.

    Raises InvalidHeader, or CodecError if the chunk is damaged.
    """
    view = memoryview(data)
    return EncodedChunk.parse(lambda at, length: view[at : at + length], len(data)).decode(None, kernel)


def channel_offsets(samples: Samples) -> NDArray[np.int32] | None:
    """A value near the middle of each channel's range, so that the difference fits 16 bits; None if it cannot.

    >>> channel_offsets(np.array([[70_000, -5], [70_002, -7]], "int32")).tolist()
    [70001, -6]
    """
    if not predictable(samples.dtype) or samples.size == 0:
        return None
    if samples.dtype.itemsize == 2:
        probe = samples[:: max(1, len(samples) // 1_024)]
        middle: NDArray[np.int32] = np.rint(probe.mean(axis=0)).astype(np.int32)
        return middle
    lowest, highest = samples.min(axis=0).astype(np.int64), samples.max(axis=0).astype(np.int64)
    if (highest - lowest).max() > 65_535:
        return None
    halfway: NDArray[np.int32] = ((lowest + highest) // 2).astype(np.uint32).view(np.int32)
    return halfway


def coding_order(
    n_channels: int, digital: Sequence[int], shanks: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(channel at each place, how many places before may predict it; -1 for digital ones).

    >>> [part.tolist() for part in coding_order(5, digital=[4], shanks=[0, 1, 0, 1])]
    [[0, 2, 1, 3, 4], [0, 1, 0, 1, -1]]
    """
    shank = np.zeros(n_channels, np.int64)
    shank[: len(shanks)] = np.asarray(shanks, np.int64)[:n_channels]
    is_digital = np.zeros(n_channels, np.bool_)
    is_digital[[channel for channel in digital if 0 <= channel < n_channels]] = True
    shank[is_digital] = np.iinfo(np.int64).max
    order = np.argsort(shank, kind="stable")
    sorted_shank = shank[order]
    places = np.arange(n_channels)
    shank_start = np.maximum.accumulate(np.where(np.diff(sorted_shank, prepend=-1) != 0, places, 0))
    within = places - shank_start
    limits = np.minimum(within % GROUP_CHANNELS, N_NEIGHBOURS)
    return order, np.where(is_digital[order], -1, limits)


def _encode_bytes(raw: NDArray[np.uint8], fixed: Fixed) -> bytes:
    planes = raw.reshape(-1, fixed.dtype.itemsize).T if fixed.dtype.itemsize else raw
    packed = zstandard.ZstdCompressor(level=3).compress(planes.tobytes())
    return replace(fixed, method=BYTES).pack(b"") + packed


def _encode_predicted(
    samples: Samples,
    offsets: NDArray[np.int32],
    places: tuple[NDArray[np.int64], NDArray[np.int64]],
    settings: Settings,
    kernel: Kernel,
) -> tuple[Head, list[Frame]]:
    n_samples, n_channels = samples.shape
    order, limits = places
    digital_channels = order[limits < 0]
    code_book = find_code_book(samples, digital_channels) if samples.dtype == np.dtype("<i2") else None
    if code_book is not None:
        samples = _to_ranks(samples, code_book, digital_channels)
        offsets = np.rint(samples[:: max(1, n_samples // 1_024)].mean(axis=0)).astype(np.int32)
    moved = not np.array_equal(order, np.arange(n_channels))
    segments = min(SEGMENTS, max(1, n_samples // MIN_SEGMENT))
    rows = kernel.turn(*_narrow(samples, offsets), order, segments)
    predictor = _fit(rows, limits, settings, segments)
    prediction = Prediction(predictor.weights, predictor.coefficients, segments)
    tables = settings.tables and n_samples >= MIN_TABLE_SAMPLES
    parts, counts = kernel.forward(rows, prediction, numbered=not tables)
    del rows  # as large as the chunk, while other threads encode too
    per_frame = 1 if tables else -(-MIN_FRAME_SYMBOLS // n_samples)
    head = Head(
        offsets=offsets[order],
        coefficients=predictor.coefficients,
        segments=segments,
        channels_per_frame=per_frame,
        shifts=parts.shifts,
        exceptions=parts.escapes.astype(np.uint32),
        symbol_bytes=np.zeros(0, np.uint32),
        frame_crcs=np.zeros(0, np.uint32),
        weights=predictor.weights,
        order=order.astype(np.uint32) if moved else None,
        code_book=code_book,
        ranked=(limits >= 0).astype(np.uint8) if code_book is not None else None,
    )
    frames = write_frames(head, parts, counts, kernel, tables=tables)
    return head, frames


def _to_ranks(samples: Samples, codes: NDArray[np.int16], digital: NDArray[np.int64]) -> Samples:
    ranks = rank_table(codes)[samples.view(np.uint16)]
    ranks[:, digital] = samples[:, digital]
    return ranks


def _narrow(samples: Samples, offsets: NDArray[np.int32]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Samples as int16, and the offsets still to be subtracted from them, modulo 2^16."""
    if samples.dtype.itemsize == 2:
        return samples.view(np.int16), offsets.astype(np.int16)
    return (samples - offsets.astype(samples.dtype)).astype(np.int16), np.zeros(len(offsets), np.int16)


def _fit(rows: NDArray[np.int16], limits: NDArray[np.int64], settings: Settings, segments: int) -> Predictor:
    n_channels, n_samples = rows.shape
    if n_samples < MIN_FIT_SAMPLES:
        # Too short for a fit: use the plain difference, which costs nothing to store.
        coefficients = np.zeros((n_channels, MAX_ORDER), np.int16)
        coefficients[:, 0] = 4_096
        return Predictor(np.zeros((n_channels, N_NEIGHBOURS), np.int16), coefficients)
    steps = max(MAX_ORDER + 1, min(n_samples, FIT_SAMPLES) // segments)
    probe = rows[:, : steps * segments].reshape(n_channels, steps, segments)
    return fit(probe, limits, spatial=settings.spatial, order=settings.order)


@dataclass(frozen=True)
class EncodedChunk:
    """A compressed chunk whose bytes are fetched on demand.

    `fetch(offset, length)` counts from the chunk's first byte.
    """

    fixed: Fixed
    head: Head | None
    fetch: Fetch
    size_bytes: int

    @classmethod
    def parse(cls, fetch: Fetch, size_bytes: int, first_bytes: int = 1 << 16) -> EncodedChunk:
        """Read the chunk's header and head. Raises InvalidHeader."""
        front = bytes(fetch(0, min(first_bytes, size_bytes)))
        fixed = Fixed.parse(front)
        end = FIXED.size + fixed.head_bytes
        if end > size_bytes:
            raise InvalidHeader("the chunk ends within its head")
        if end > len(front):
            front += fetch(len(front), end - len(front))
        fixed.check(front)
        head = Head.parse(fixed, front) if fixed.method == PREDICTED else None
        return cls(fixed, head, fetch, size_bytes)

    def decode(self, channels: NDArray[np.int64] | None, kernel: KernelName | None = None) -> Samples:
        """Samples (n_samples, channels); if all channels are requested, the checksum of the raw chunk is verified."""
        if channels is not None and len(channels) == 0:
            return np.empty((self.fixed.n_samples, 0), self.fixed.dtype)
        if self.head is None:
            whole = self._decode_bytes()
        elif channels is None or len(np.unique(channels)) == self.fixed.n_channels:
            whole = self._decode_places(
                self.head, np.arange(self.fixed.n_channels), None, kernel_named(kernel)
            )
        else:
            places = self._places(self.head, channels)
            return self._decode_places(self.head, places, channels, kernel_named(kernel))
        if crc32(whole.reshape(-1).view(np.uint8).data) != self.fixed.raw_crc:
            raise CodecError("the chunk decodes to other bytes than were compressed")
        return whole if channels is None else np.ascontiguousarray(whole[:, channels])

    def _decode_bytes(self) -> Samples:
        fixed = self.fixed
        body = self.fetch(FIXED.size + fixed.head_bytes, self.size_bytes - FIXED.size - fixed.head_bytes)
        if fixed.method == BYTES:
            try:
                # zstd allocates the size that the frame announces, regardless of the limit passed to it.
                if zstandard.frame_content_size(body) != fixed.raw_bytes:
                    raise CodecError("the chunk does not hold the bytes it should")
                body = zstandard.ZstdDecompressor().decompress(body)
            except zstandard.ZstdError as error:
                raise CodecError(f"the chunk is damaged ({error})") from error
        if len(body) != fixed.raw_bytes:
            raise CodecError("the chunk does not hold the bytes it should")
        flat = np.frombuffer(body, np.uint8)
        if fixed.method == BYTES and fixed.dtype.itemsize:
            flat = np.ascontiguousarray(flat.reshape(fixed.dtype.itemsize, -1).T).reshape(-1)
        shape = (fixed.n_samples, fixed.n_channels)
        return flat.view(fixed.dtype).reshape(shape) if flat.size else np.empty(shape, fixed.dtype)

    def _places(self, head: Head, channels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places in coding order that must be decoded for these channels, neighbours included."""
        place_of = np.arange(self.fixed.n_channels)
        if head.order is not None:
            place_of[head.order] = np.arange(self.fixed.n_channels)
        needed = np.zeros(self.fixed.n_channels, np.bool_)
        needed[place_of[channels]] = True
        reach = ((head.weights != 0) * np.arange(1, N_NEIGHBOURS + 1)).max(axis=1)
        for place in range(self.fixed.n_channels - 1, -1, -1):
            if needed[place]:
                needed[place - reach[place] : place] = True
        return np.flatnonzero(needed)

    def _decode_places(
        self, head: Head, places: NDArray[np.int64], channels: NDArray[np.int64] | None, kernel: Kernel
    ) -> Samples:
        fixed = self.fixed
        body = Body(FIXED.size + fixed.head_bytes, self.size_bytes, self.fetch)
        parts = read_frames(head, fixed.n_samples, places, body, kernel)
        # If a channel is predicted from k channels before it, all k are decoded, so distances between rows are kept.
        prediction = Prediction(head.weights[places], head.coefficients[places], head.segments)
        numbers = places if head.order is None else head.order[places].astype(np.int64)
        chosen = np.arange(fixed.n_channels) if channels is None else np.unique(channels)
        column_of = np.full(fixed.n_channels, -1)
        column_of[chosen] = np.arange(len(chosen))
        narrow = fixed.dtype.itemsize == 2
        offsets = head.offsets[places]
        added = offsets.astype(np.int16) if narrow else np.zeros(len(places), np.int16)
        columns = column_of[numbers]
        out = kernel.backward(parts, prediction, added, columns, len(chosen))
        if head.code_book is not None:
            _from_ranks(out, head, columns, places)
        samples: Samples = out.view(fixed.dtype) if narrow else _widen(out, offsets, columns, fixed.dtype)
        if channels is None or np.array_equal(chosen, channels):
            return samples
        return samples[:, np.searchsorted(chosen, channels)]


def _widen(
    out: NDArray[np.int16], offsets: NDArray[np.int32], columns: NDArray[np.int64], dtype: np.dtype[Any]
) -> Samples:
    added = np.zeros(out.shape[1], np.int32)
    added[columns[columns >= 0]] = offsets[columns >= 0]
    return (out + added).view(dtype)


def _from_ranks(
    out: NDArray[np.int16], head: Head, columns: NDArray[np.int64], places: NDArray[np.int64]
) -> None:
    if head.code_book is None or head.ranked is None or len(head.code_book) == 0:
        raise InvalidHeader("the code book is empty")
    last = len(head.code_book) - 1
    other = columns[(columns >= 0) & (head.ranked[places] == 0)]
    table = head.code_book[np.minimum(np.arange(1 << 16), last)]
    for start in range(0, len(out), RANK_BLOCK):
        # Looking up whole rows is far faster than selected columns, and nearly all columns are needed.
        block = out[start : start + RANK_BLOCK]
        unranked = block[:, other]
        block[...] = table[block.view(np.uint16)]
        block[:, other] = unranked

"""Encodes one chunk of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import zstandard
from numpy.typing import NDArray

from cingulum.codec.checksums import crc32
from cingulum.codec.chunk_head import Head
from cingulum.codec.code_book import find_code_book, rank_table
from cingulum.codec.errors import InvalidLayout
from cingulum.codec.fit import FIT_SAMPLES, GROUP_CHANNELS, MAX_ORDER, N_NEIGHBOURS, Predictor, fit
from cingulum.codec.fixed_header import BYTES, FIXED, PREDICTED, RAW, Fixed, predictable, storable
from cingulum.codec.frames import Frame, write_frames
from cingulum.codec.kernels import Kernel, KernelName, kernel_named
from cingulum.codec.parts import Prediction

Preset = Literal["small", "fast"]
Samples = NDArray[Any]
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

    >>> from cingulum.codec import decode
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

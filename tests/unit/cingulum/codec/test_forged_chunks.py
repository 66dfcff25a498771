"""Chunks with right checksums over wrong contents: refused, by either kernel, or read alike; never more memory."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import zstandard
from numpy.typing import NDArray

from cingulum.codec import CodecError, InvalidHeader, decode, encode
from cingulum.codec.chunk_decoder import EncodedChunk
from cingulum.codec.chunk_encoder import Preset
from cingulum.codec.chunk_head import Head
from cingulum.codec.fit import MAX_COEFFICIENT_SUM, MAX_ORDER, MAX_WEIGHT_SUM, N_NEIGHBOURS
from cingulum.codec.fixed_header import BYTES, FIXED, PREDICTED, RAW, Fixed
from cingulum.codec.frames import write_frames
from cingulum.codec.kernels import KernelName, kernel_named
from cingulum.codec.parts import ESCAPE, ESCAPE_BYTE, MAX_SHIFT, Residuals, low_bytes
from cingulum.codec.symbol_tables import frequencies_of

from .conftest import a_recording

PRESETS: list[Preset] = ["small", "fast"]
KERNELS: list[KernelName] = ["numpy", "numba"]


@contextmanager
def less_than(mb: int) -> Iterator[None]:
    """Fails where more memory was taken on the way."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < mb * 1_000_000
    finally:
        tracemalloc.stop()


def sealed(fixed: Fixed, head: Head, body: bytes) -> bytes:
    """A chunk whose checksums are right, with any head."""
    edges = head.frame_edges(fixed.n_samples).tolist()
    head.frame_crcs = np.array([zlib.crc32(body[start:stop]) for start, stop in pairwise(edges)], np.uint32)
    packed = head.pack()
    return replace(fixed, flags=head.flags, head_bytes=len(packed)).pack(packed) + body


def fixed_part(method: int, kind: str, itemsize: int, shape: tuple[int, int], flags: int = 0) -> bytes:
    start = struct.pack("<4sBBBBIIII", b"CGC1", method, ord(kind), itemsize, flags, *shape, 0, 0)
    return start + struct.pack("<I", zlib.crc32(start))


def read(data: bytes, channels: NDArray[np.int64], kernel: KernelName) -> NDArray[Any] | None:
    """Some channels of a chunk, without comparing the samples' checksum; None if it is refused."""
    try:
        chunk = EncodedChunk.parse(lambda at, size: data[at : at + size], len(data))
        return chunk.decode(channels, kernel)
    except CodecError:
        return None


def rows_that_sum_to_at_most(
    largest: int, shape: tuple[int, int], draw: np.random.Generator
) -> NDArray[np.int16]:
    share = draw.dirichlet(np.full(shape[1], 0.2), shape[0]) * draw.choice([0, 0.1, 1], (shape[0], 1))
    rows: NDArray[np.int16] = (share * largest * draw.choice([-1, 1], shape)).astype(np.int16)
    return rows


def a_forged_chunk(draw: np.random.Generator) -> bytes:
    """Symbols, parameters and shape by chance, at the limits of what a head may say; some escapes miscounted."""
    n_samples = int(draw.choice([1, 2, 15, 17, 31, 33, 65, 130, 257, 1_025, 2_100]))
    n_channels = int(draw.choice([2, 7, 9, 16, 24, 130, 257] if n_samples < 1_000 else [2, 9, 40]))
    tables, shape = bool(draw.random() < 0.5), (n_channels, n_samples)
    escape = ESCAPE_BYTE if tables else ESCAPE
    symbols = draw.integers(0, 256, shape).astype(np.uint8)
    symbols[draw.random(n_channels) < 0.6] %= 100
    symbols[draw.random(shape) < draw.choice([0, 0.01, 0.5])] = escape
    escapes = (symbols == escape).sum(axis=1)
    if draw.random() < 0.3:
        escapes[draw.integers(n_channels)] = draw.integers(0, n_samples + 1)
    shifts = draw.integers(0, MAX_SHIFT + 1, n_channels) * (
        draw.random(n_channels) < draw.choice([0, 0.3, 1])
    )
    low = draw.integers(0, 256, int(low_bytes(shifts, n_samples).sum())).astype(np.uint8)
    escaped = draw.integers(-(2**15), 2**15, int(escapes.sum())).astype(np.int16)
    parts = Residuals(symbols, not tables, shifts.astype(np.uint8), escapes, escaped, low)
    weights = rows_that_sum_to_at_most(MAX_WEIGHT_SUM, (n_channels, N_NEIGHBOURS), draw)
    head = Head(
        offsets=draw.integers(-(2**31), 2**31, n_channels).astype(np.int32),
        coefficients=rows_that_sum_to_at_most(MAX_COEFFICIENT_SUM, (n_channels, MAX_ORDER), draw),
        segments=int(draw.integers(1, min(64, n_samples) + 1)),
        channels_per_frame=1 if tables else int(draw.integers(1, n_channels + 2)),
        shifts=parts.shifts,
        exceptions=escapes.astype(np.uint32),
        symbol_bytes=np.zeros(0, np.uint32),
        frame_crcs=np.zeros(0, np.uint32),
        weights=np.tril(weights, -1) if draw.random() < 0.8 else weights * np.int16(0),
        order=draw.permutation(n_channels).astype(np.uint32),
    )
    if draw.random() < 0.5:
        head.coefficients[:, 2:] = 0
    counts = np.array([np.bincount(row, minlength=256) for row in symbols])
    frames = write_frames(head, parts, counts, kernel_named("numpy"), tables=tables)
    fixed = Fixed(PREDICTED, np.dtype(str(draw.choice(["<i2", "<u4"]))), n_samples, n_channels, 0)
    return sealed(fixed, head, b"".join(frames))


def test_kernels_agree_on_whatever_a_head_may_say() -> None:
    draw, taken = np.random.default_rng(21), 0
    for _ in range(120):
        data = a_forged_chunk(draw)
        n_channels = Fixed.parse(data).n_channels
        channels = np.unique(draw.integers(0, n_channels, draw.integers(1, n_channels)))
        by_numpy, by_numba = (read(data, channels, kernel) for kernel in KERNELS)
        if by_numpy is None or by_numba is None:
            assert by_numpy is by_numba
        else:
            assert np.array_equal(by_numpy, by_numba)
            taken += 1
    assert taken > 60


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("preset", PRESETS)
def test_damage_below_valid_checksums_is_refused_or_harmless(preset: Preset, kernel: KernelName) -> None:
    """Whoever forges checksums can make a chunk wrong, but neither crash the reader nor read beside it."""
    draw = np.random.default_rng(12)
    samples = a_recording(2_500, 12)
    samples[::50] *= 100
    good = encode(samples, preset=preset)
    fixed = Fixed.parse(good)
    head = Head.parse(fixed, good)
    body = good[FIXED.size + fixed.head_bytes :]
    for _ in range(60):
        bad = bytearray(body)
        for place in draw.integers(0, len(body), 4).tolist():
            bad[place] = int(draw.integers(256))
        forged = replace(head, exceptions=head.exceptions.copy())
        if draw.random() < 0.3:
            forged.segments = int(draw.integers(1, 40))
        if forged.states is not None:
            forged.states = forged.states + draw.integers(0, 9, forged.states.shape, np.uint64)
        edges = [0, *head.frame_edges(2_500)[1:].tolist()]
        forged.frame_crcs = np.array(
            [zlib.crc32(bad[start:stop]) for start, stop in pairwise(edges)], np.uint32
        )
        sections = forged.pack()
        chunk = replace(fixed, head_bytes=len(sections)).pack(sections) + bytes(bad)
        with pytest.raises(CodecError):
            decode(chunk, kernel=kernel)


@pytest.mark.parametrize("ways", [0, 1, 17, 1 << 30])
@pytest.mark.parametrize("segments", [0, 65, 2_501, 1 << 31])
def test_impossible_segments_and_states_are_refused(segments: int, ways: int) -> None:
    good = encode(a_recording(2_500, 12))
    fixed = Fixed.parse(good)
    head = Head.parse(fixed, good)
    assert head.states is not None
    packed = replace(head, segments=segments, states=np.resize(head.states, (12, min(ways, 17)))).pack()
    with pytest.raises(InvalidHeader):
        decode(replace(fixed, head_bytes=len(packed)).pack(packed) + good[FIXED.size + fixed.head_bytes :])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("preset", PRESETS)
def test_escapes_that_the_head_denies_are_refused(preset: Preset, kernel: KernelName) -> None:
    samples = a_recording(2_500, 12)
    samples[100, 3] = 30_000
    good = encode(samples, preset=preset)
    fixed = Fixed.parse(good)
    head = Head.parse(fixed, good)
    assert head.exceptions.any()
    body = bytearray(good[FIXED.size + fixed.head_bytes :])
    edges = head.frame_edges(2_500)
    for frame in range(len(edges) - 2, -1, -1):
        some = slice(frame * head.channels_per_frame, (frame + 1) * head.channels_per_frame)
        size = 2 * int(head.exceptions[some].sum())
        del body[int(edges[frame + 1]) - size : int(edges[frame + 1])]
    forged = sealed(fixed, replace(head, exceptions=np.zeros(12, np.uint32)), bytes(body))
    assert read(forged, np.arange(11), kernel) is None


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_rans_stream_of_no_word_at_all_is_refused(kernel: KernelName) -> None:
    """Two bytes, of an escape, are all that there is to read; a word has four."""
    head = Head.parse(Fixed.parse(good := encode(a_recording(40_000, 1))), good)
    assert head.states is not None
    single = np.ones(1, np.uint32)
    no_words = replace(head, words=0 * single, symbol_bytes=0 * single, exceptions=single)
    data = sealed(replace(Fixed.parse(good), raw_crc=0), no_words, b"ab")
    with pytest.raises(CodecError, match="rANS stream does not end"):
        decode(data, kernel=kernel)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_frame_that_holds_the_next_channel_too_is_refused(kernel: KernelName) -> None:
    """Read in one go the frames would give all channels; read alone, the second would be the third."""
    good = encode(a_recording(30_000, 3), preset="fast")
    fixed = Fixed.parse(good)
    head = Head.parse(fixed, good)
    body = good[FIXED.size + fixed.head_bytes :]
    edges = head.frame_edges(30_000).tolist()
    first, second, third = (body[start:stop] for start, stop in pairwise(edges))
    sizes = np.array([len(first + second), len(third), len(third)], np.uint32)
    forged = sealed(fixed, replace(head, symbol_bytes=sizes), first + second + third + third)
    assert read(forged, np.arange(3), kernel) is None


def test_a_frame_larger_than_its_chunk_is_not_unpacked() -> None:
    bomb = zstandard.compress(bytes(50_000_000))
    for shape in ((2, 2), (0, 2)):
        with less_than(mb=2), pytest.raises(CodecError):
            decode(fixed_part(BYTES, "i", 2, shape) + bomb)


@pytest.mark.parametrize("method", [RAW, BYTES, PREDICTED])
@pytest.mark.parametrize("kind", ["S", "U", "V"])
def test_numbers_of_no_byte_are_refused(kind: str, method: int) -> None:
    with less_than(mb=2), pytest.raises(InvalidHeader, match="unknown"):
        decode(fixed_part(method, kind, 0, (2**32 - 1, 2**20)))


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i8", "<u8", "<f2", "V4"])
def test_only_integers_of_two_or_four_bytes_can_be_predicted(dtype: str) -> None:
    good = encode(a_recording(2_500, 4))
    fixed = Fixed.parse(good)
    sections = good[FIXED.size : FIXED.size + fixed.head_bytes]
    body = good[FIXED.size + fixed.head_bytes :]
    with pytest.raises(InvalidHeader, match="predicted"):
        decode(replace(fixed, dtype=np.dtype(dtype)).pack(sections) + body)


def test_flags_that_are_not_known_here_are_refused() -> None:
    for method, flags in ((PREDICTED, 16), (RAW, 1), (BYTES, 8)):
        with pytest.raises(InvalidHeader, match="flags"):
            decode(fixed_part(method, "i", 2, (1, 1), flags) + b"ab")


def test_symbol_tables_of_many_channels_take_little_more_than_their_frequencies() -> None:
    levels = np.ones((20_000, 256), np.uint8)
    with less_than(mb=70):  # 20 MB are the answer
        assert (frequencies_of(levels) == 16).all()

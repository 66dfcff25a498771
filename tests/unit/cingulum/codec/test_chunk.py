"""One chunk, compressed and back: lossless whatever comes, refused whenever a byte is wrong."""

from __future__ import annotations

import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from cingulum.codec import CodecError, InvalidHeader, InvalidLayout, decode, encode
from cingulum.codec.chunk_decoder import EncodedChunk
from cingulum.codec.chunk_encoder import Preset
from cingulum.codec.fixed_header import BYTES, FIXED, PREDICTED, RAW, Fixed
from cingulum.codec.kernels import KernelName

from .conftest import a_recording

PRESETS: list[Preset] = ["small", "fast"]
KERNELS: list[KernelName] = ["numpy", "numba"]
rng = np.random.default_rng(7)


def same(decoded: NDArray[Any], expected: NDArray[Any]) -> bool:
    """Equal bit for bit, so that NaN equals NaN."""
    little = expected.astype(expected.dtype.newbyteorder("<"))
    return (
        decoded.shape == expected.shape
        and decoded.dtype == little.dtype
        and decoded.tobytes() == little.tobytes()
    )


ODD_RECORDINGS: dict[str, NDArray[Any]] = {
    "constant": np.full((3_000, 5), -7, "<i2"),
    "all zero": np.zeros((3_000, 5), "<i2"),
    "alternating extremes": np.where(np.arange(3_000)[:, None] % 2, 32767, -32768).repeat(3, 1).astype("<i2"),
    "extremes by channel": np.tile(np.array([-32768, 32767, 0], "<i2"), (2_500, 1)),
    "one channel": a_recording(5_000, 2)[:, :1],
    "one sample": a_recording(1, 7),
    "one number": np.array([[-32768]], "<i2"),
    "5,000 channels x 50 samples": rng.normal(0, 9, (50, 5_000)).astype("<i2"),
    "white noise of all bits": rng.integers(-32768, 32768, (4_000, 6)).astype("<i2"),
    "one spike in silence": np.pad(np.full((1, 1), 511, "<i2"), ((1_700, 1_299), (2, 1))),
    "random sync bits": rng.integers(0, 2, (3_000, 4)).astype("<i2") * 64,
    "a saturated artefact": np.clip(rng.normal(0, 20_000, (3_000, 4)), -512, 511).astype("<i2"),
    "codes with holes": (rng.normal(0, 30, (3_000, 6)).astype("<i2") * 12).astype("<i2"),
    "uint16 movie": (rng.poisson(9_000, (60, 800))).astype("<u2"),
    "uint16 around the middle": (rng.normal(32_768, 40, (3_000, 3))).astype("<u2"),
    "int32 of small range": (rng.normal(1e6, 300, (3_000, 3))).astype("<i4"),
    "int32 of all bits": rng.integers(-(2**31), 2**31, (2_500, 3)).astype("<i4"),
    "uint32 near its top": (2**32 - 1 - rng.poisson(50, (2_500, 3))).astype("<u4"),
    "int8": rng.integers(-128, 128, (500, 3)).astype("<i1"),
    "floats with NaN": np.array([[1e8, np.nan], [1e-3, -0.0], [np.inf, 3.0]] * 90, "<f4"),
    "big-endian": a_recording(2_500, 3).astype(">i2"),
    "booleans": rng.integers(0, 2, (300, 3)).astype(bool),
    "no sample": np.zeros((0, 4), "<i2"),
    "no channel": np.zeros((4, 0), "<i2"),
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", ODD_RECORDINGS)
def test_anything_round_trips_and_is_never_larger_than_raw(
    name: str, preset: Preset, kernel: KernelName
) -> None:
    samples = ODD_RECORDINGS[name]
    data = encode(samples, preset=preset, kernel=kernel)
    assert same(decode(data, kernel=kernel), samples)
    assert len(data) <= samples.nbytes * 1.001 + FIXED.size


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", ODD_RECORDINGS)
def test_both_kernels_write_the_same_bytes_and_read_each_other(name: str, preset: Preset) -> None:
    samples = ODD_RECORDINGS[name]
    by_numpy, by_numba = (encode(samples, preset=preset, kernel=kernel) for kernel in KERNELS)
    assert by_numpy == by_numba
    assert same(decode(by_numpy, kernel="numba"), samples)
    assert same(decode(by_numba, kernel="numpy"), samples)


@settings(max_examples=60, deadline=None)
@given(
    samples=hnp.arrays(
        dtype=st.sampled_from(["<i2", "<u2", "<i4", "<f4"]),
        shape=hnp.array_shapes(min_dims=2, max_dims=2, max_side=70),
    ),
    preset=st.sampled_from(PRESETS),
)
def test_any_small_array_round_trips_with_either_kernel(samples: NDArray[Any], preset: Preset) -> None:
    by_numpy, by_numba = (encode(samples, preset=preset, kernel=kernel) for kernel in KERNELS)
    assert by_numpy == by_numba
    assert same(decode(by_numpy, kernel="numba"), samples)
    assert same(decode(by_numba, kernel="numpy"), samples)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_samples=st.integers(2_000, 4_500),
    n_channels=st.integers(1, 70),
    size=st.sampled_from([0.5, 4.0, 60.0, 3_000.0, 15_000.0]),
    preset=st.sampled_from(PRESETS),
)
def test_recordings_of_any_amplitude_round_trip_with_either_kernel(
    seed: int, n_samples: int, n_channels: int, size: float, preset: Preset
) -> None:
    draw = np.random.default_rng(seed)
    shared = draw.normal(0, size, (n_samples, 1))
    samples = np.clip(draw.normal(0, size, (n_samples, n_channels)) + shared, -32768, 32767).astype("<i2")
    shanks = (np.arange(n_channels) // 5 % 4).tolist()
    digital = [n_channels - 1]
    by_numpy, by_numba = (
        encode(samples, preset=preset, kernel=kernel, digital=digital, shanks=shanks) for kernel in KERNELS
    )
    assert by_numpy == by_numba
    assert same(decode(by_numba, kernel="numpy"), samples)
    assert same(decode(by_numba, kernel="numba"), samples)


def test_neighbours_make_a_shared_signal_cheap() -> None:
    draw = np.random.default_rng(3)
    shared = np.cumsum(draw.normal(0, 20, (6_000, 1)), axis=0)
    samples = (shared + draw.normal(0, 2, (6_000, 32))).astype("<i2")
    assert len(encode(samples, preset="small")) < 0.7 * len(encode(samples, preset="fast"))


def test_codes_with_holes_cost_no_more_than_their_ranks() -> None:
    ranks = np.random.default_rng(4).normal(0, 6, (6_000, 20)).astype("<i2")
    apart = (ranks * 12).astype("<i2")
    assert len(encode(apart)) < 1.02 * len(encode(ranks)) + 200


def test_the_sync_word_does_not_close_the_holes_of_the_others() -> None:
    draw = np.random.default_rng(5)
    samples = (draw.normal(0, 6, (6_000, 20)).astype("<i2") * 12).astype("<i2")
    samples[:, -1] = draw.integers(-32768, 32767, 6_000)
    hinted, untold = encode(samples, digital=[19]), encode(samples)
    assert same(decode(hinted), samples)
    assert len(hinted) < 0.7 * len(untold)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("dtype", ["<i2", "<u2", "<i4"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_channels_are_decoded_without_the_others_bytes(
    preset: Preset, dtype: str, kernel: KernelName
) -> None:
    samples = a_recording(3_000, 150, dtype="<i2").astype(dtype)
    shanks = [channel % 2 for channel in range(150)]
    data = encode(samples, preset=preset, digital=[149], shanks=shanks)
    for channels in ([0], [149, 3], [70, 70, 2], list(range(100, 108)), []):
        fetched: list[int] = []

        def fetch(offset: int, length: int, fetched: list[int] = fetched) -> bytes:
            fetched.append(min(length, len(data) - offset))
            return data[offset : offset + length]

        decoded = EncodedChunk.parse(fetch, len(data), first_bytes=FIXED.size).decode(
            np.array(channels, np.int64), kernel
        )
        assert same(np.ascontiguousarray(decoded), samples[:, channels])
        assert sum(fetched) < len(data) * 0.75


@pytest.mark.parametrize("preset", PRESETS)
def test_a_flipped_byte_anywhere_is_noticed(preset: Preset) -> None:
    samples = a_recording(2_500, 12)
    samples[100, 3] = 30_000
    good = encode(samples, preset=preset)
    places = {*range(FIXED.size), *np.random.default_rng(1).integers(0, len(good), 250).tolist()}
    for place in places:
        bad = bytearray(good)
        bad[place] ^= 1 << (place % 8)
        with pytest.raises(CodecError):
            decode(bytes(bad))


def test_a_cut_off_chunk_is_noticed() -> None:
    good = encode(a_recording(2_500, 12))
    for length in (0, 3, FIXED.size - 1, FIXED.size + 5, len(good) // 2, len(good) - 1):
        with pytest.raises(CodecError):
            decode(good[:length])


@pytest.mark.parametrize(
    "fixed",
    [
        Fixed(RAW, np.dtype("<i2"), 2**32 - 1, 1_000_000, 0),
        Fixed(BYTES, np.dtype("<i2"), 2**31, 4, 0),
        Fixed(PREDICTED, np.dtype("<i2"), 2**20, 2**21, 0),
        Fixed(PREDICTED, np.dtype("<f4"), 100, 4, 0),
        Fixed(PREDICTED, np.dtype("<i2"), 0, 4, 0),
        Fixed(9, np.dtype("<i2"), 100, 4, 0),
    ],
)
def test_a_header_that_claims_too_much_allocates_nothing(fixed: Fixed) -> None:
    data = fixed.pack(b"")
    tracemalloc.start()
    try:
        with pytest.raises(InvalidHeader):
            decode(data)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_head_that_claims_too_much_allocates_nothing() -> None:
    data = bytearray(encode(a_recording(2_500, 12)))
    struct.pack_into("<I", data, 20, 1 << 31)
    with pytest.raises(InvalidHeader):
        decode(bytes(data))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        decode(data)


def test_bytes_that_are_not_a_chunk_are_refused_by_name() -> None:
    with pytest.raises(InvalidLayout, match="two axes"):
        encode(np.zeros(5, "<i2"))
    for dtype in ("S300", "V0", "U5", "O"):
        with pytest.raises(InvalidLayout, match="cannot hold"):
            encode(np.zeros((5, 1), dtype))
    with pytest.raises(ValueError, match="preset"):
        encode(np.zeros((5, 1), "<i2"), preset="tiny")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="kernel"):
        encode(np.zeros((5, 1), "<i2"), kernel="cuda")  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_chunks_of_every_length_round_trip(preset: Preset, kernel: KernelName) -> None:
    # Segments, tiles of 128 places, squares of eight and pairs of symbols all end somewhere within.
    long = a_recording(20_137, 11, seed=5)
    for length in (2_047, 2_048, 3_001, 4_093, 7_999, 20_000, 20_001, 20_137):
        assert same(decode(encode(long[:length], preset=preset, kernel=kernel), kernel=kernel), long[:length])


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("segments", [1, 7, 15, 16, 31, 32, 33, 64])
def test_any_number_of_segments_is_read_by_either_kernel(
    preset: Preset, segments: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cingulum.codec.chunk_encoder.SEGMENTS", segments)
    monkeypatch.setattr("cingulum.codec.chunk_encoder.MIN_SEGMENT", 1)
    samples = a_recording(4_229, 37, seed=6)
    samples[[0, 66, 4_228], 20:] = 20_000
    by_numpy, by_numba = (encode(samples, preset=preset, kernel=kernel) for kernel in KERNELS)
    assert by_numpy == by_numba
    for kernel in KERNELS:
        assert same(decode(by_numpy, kernel=kernel), samples)


@pytest.mark.parametrize("preset", PRESETS)
def test_escapes_and_low_bits_round_trip_with_either_kernel(preset: Preset) -> None:
    draw = np.random.default_rng(11)
    loudness = np.repeat([1.0, 20.0, 45.0, 300.0, 9_000.0], 14)
    samples = np.clip(draw.standard_t(2, (5_003, 70)) * loudness, -32768, 32767).astype("<i2")
    by_numpy, by_numba = (encode(samples, preset=preset, kernel=kernel) for kernel in KERNELS)
    assert by_numpy == by_numba
    for kernel in KERNELS:
        assert same(decode(by_numpy, kernel=kernel), samples)
        part = EncodedChunk.parse(lambda at, size: by_numpy[at : at + size], len(by_numpy))
        assert same(part.decode(np.array([69, 3, 40]), kernel), samples[:, [69, 3, 40]])

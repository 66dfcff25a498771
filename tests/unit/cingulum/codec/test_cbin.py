"""The .cbin/.ch pairs: what mtscomp writes we read, what we write mtscomp reads, bit for bit."""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path
from typing import Any

import mtscomp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cingulum.codec import (
    CbinFile,
    CbinHeader,
    CbinReader,
    CodecError,
    DamagedChunk,
    Decoded,
    EmptyRecording,
    InvalidHeader,
    ProofFailed,
    TargetBusy,
    TargetExists,
    compress_to_cbin,
    decoded_digests,
    decompress_to_bin,
    digests_of,
    write_cbin,
)
from cingulum.codec.atomic import sole_writer
from cingulum.codec.deflate_engines import CompatiblePreset, compressor, inflate

from .conftest import WriteRaw, a_layout, a_recording


def written_by_mtscomp(raw: Path, samples: NDArray[Any], **options: Any) -> Path:
    target = raw.with_suffix(".cbin")
    mtscomp.compress(
        raw,
        target,
        target.with_suffix(".ch"),
        sample_rate=1_000.0,
        n_channels=samples.shape[1],
        dtype=samples.dtype,
        n_threads=1,
        check_after_compress=False,
        quiet=True,
        **options,
    )
    return target


def read_by_mtscomp(path: Path) -> NDArray[Any]:
    reader = mtscomp.Reader(quiet=True, n_threads=1)
    reader.open(path)
    try:
        return np.asarray(reader[:])
    finally:
        reader.close()


@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("spatial", [False, True])
@pytest.mark.parametrize("in_time", [False, True])
@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32", "uint8"])
def test_what_mtscomp_writes_is_read_exactly_with_any_option(
    write_raw: WriteRaw, order: str, spatial: bool, in_time: bool, dtype: str
) -> None:
    samples = a_recording(2_500, 5, dtype=dtype)
    path = written_by_mtscomp(
        write_raw(samples), samples, chunk_order=order, do_spatial_diff=spatial, do_time_diff=in_time
    )
    with CbinFile(path) as recording:
        assert recording.shape == samples.shape
        assert np.array_equal(recording.read(0, 2_500), samples)
        assert np.array_equal(recording.read(990, 2_010, [4, 1]), samples[990:2_010, [4, 1]])


def test_floating_point_that_mtscomp_wrote_comes_out_as_mtscomp_reads_it(write_raw: WriteRaw) -> None:
    samples = np.random.default_rng(1).normal(0, 1e3, (1_500, 3)).astype("float32")
    path = written_by_mtscomp(write_raw(samples), samples)
    with CbinFile(path) as recording:
        assert np.array_equal(recording.read(0, 1_500), read_by_mtscomp(path))


@pytest.mark.parametrize("preset", ["compatible-small", "compatible-fast"])
@pytest.mark.parametrize("dtype", ["<i2", "<u2", "<i4", "<f4"])
def test_mtscomp_reads_what_we_write(write_raw: WriteRaw, preset: CompatiblePreset, dtype: str) -> None:
    samples = a_recording(2_500, 7).astype(dtype)
    raw = write_raw(samples)
    result = compress_to_cbin(raw, layout=a_layout(samples), preset=preset, threads=2)
    assert np.array_equal(read_by_mtscomp(raw.with_suffix(".cbin")), samples)
    assert result.raw == digests_of(raw)
    assert result.compressed == digests_of(raw.with_suffix(".cbin"))
    header = json.loads(raw.with_suffix(".ch").read_text())
    assert header["sha1_compressed"] == result.compressed.sha1
    assert header["sha1_uncompressed"] == result.raw.sha1
    assert header["chunk_bounds"] == [0, 1_000, 2_000, 2_500]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_extreme_values_wrap_around_and_round_trip(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    values = st.sampled_from([-32768, 32767, 0, 1, -1]) | st.integers(-32768, 32767)
    width = data.draw(st.integers(1, 4))
    rows = data.draw(st.lists(st.lists(values, min_size=width, max_size=width), min_size=1, max_size=60))
    samples = np.array(rows, "<i2")
    raw = tmp_path_factory.mktemp("raw") / "probe.bin"
    raw.write_bytes(samples.tobytes())
    compress_to_cbin(raw, layout=a_layout(samples, 17.0), preset="compatible-fast")
    assert np.array_equal(read_by_mtscomp(raw.with_suffix(".cbin")), samples)


def test_without_the_fast_wheels_zlib_writes_and_reads_the_same_format(
    write_raw: WriteRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = a_recording()
    raw = write_raw(samples)
    compressor.cache_clear()
    try:
        monkeypatch.setitem(sys.modules, "deflate", None)
        monkeypatch.setitem(sys.modules, "zlib_ng", None)
        assert compressor("compatible-fast")[0] == compressor("compatible-small")[0] == "zlib"
        compress_to_cbin(raw, layout=a_layout(samples))
        with CbinFile(raw.with_suffix(".cbin")) as recording:
            assert np.array_equal(recording.read(0, len(samples)), samples)
        for broken in (
            b"",
            b"not zlib",
            zlib.compress(b"123"),
            zlib.compress(b"12345"),
            zlib.compress(b"1234")[:-2],
        ):
            with pytest.raises(ValueError, match=r"zlib stream|contains"):
                inflate(broken, 4)
    finally:
        compressor.cache_clear()


def test_bytes_of_a_half_written_last_sample_are_kept_reported_and_restored(write_raw: WriteRaw) -> None:
    samples = a_recording(1_200, 4)
    raw = write_raw(samples, tail=b"\x07\x08\x09")
    result = compress_to_cbin(raw, layout=a_layout(samples))
    assert result.tail_bytes == 3
    assert any("incomplete" in warning for warning in result.warnings)
    assert np.array_equal(read_by_mtscomp(raw.with_suffix(".cbin")), samples)
    again = raw.with_name("again.bin")
    with CbinFile(raw.with_suffix(".cbin")) as recording:
        decompress_to_bin(recording, again)
    assert again.read_bytes() == raw.read_bytes()


def test_a_chopped_copy_and_a_streamed_part_are_read(write_raw: WriteRaw, tmp_path: Path) -> None:
    samples = a_recording(3_000, 4)
    path = written_by_mtscomp(write_raw(samples), samples)
    reader = mtscomp.Reader(quiet=True)
    reader.open(path)
    reader.chop(2, tmp_path / "probe.stream.cbin")
    reader.close()
    with CbinFile(tmp_path / "probe.stream.cbin") as recording:
        assert recording.header.chopped
        assert recording.header.sha1_uncompressed is None
        assert np.array_equal(recording.read(0, 2_000), samples[:2_000])


def test_a_cut_off_file_still_gives_its_whole_chunks_and_names_the_lost_second(write_raw: WriteRaw) -> None:
    samples = a_recording(3_000, 4)
    path = written_by_mtscomp(write_raw(samples), samples)
    path.write_bytes(path.read_bytes()[:-100])
    with CbinFile(path) as recording:
        assert np.array_equal(recording.read(0, 2_000), samples[:2_000])
        with pytest.raises(DamagedChunk, match=r"seconds 2.000 to 3.000") as caught:
            recording.read(1_500, 2_500)
    assert (caught.value.chunk, caught.value.start_s) == (2, 2.0)


def test_a_flipped_byte_is_noticed_wherever_it_is(write_raw: WriteRaw) -> None:
    samples = a_recording(2_000, 4)
    path = written_by_mtscomp(write_raw(samples), samples)
    good = path.read_bytes()
    header = CbinHeader.parse(path.with_suffix(".ch").read_bytes())
    for place in np.random.default_rng(5).integers(0, len(good), 60):
        bad = bytearray(good)
        bad[place] ^= 0x55
        reader = CbinReader(lambda offset, length, bad=bad: bytes(bad[offset : offset + length]), header)
        hit = 0 if place < header.chunk_offsets[1] else 1
        with pytest.raises(DamagedChunk) as caught:
            reader.read(0, 2_000)
        assert caught.value.chunk == hit
        other = 1 - hit
        assert np.array_equal(reader.read_chunk(other), samples[other * 1_000 : other * 1_000 + 1_000])


def test_only_the_chunks_that_hold_the_slice_are_fetched(write_raw: WriteRaw) -> None:
    samples = a_recording(5_000, 3)
    path = written_by_mtscomp(write_raw(samples), samples)
    content, ranges = path.read_bytes(), []

    def read_range(offset: int, length: int) -> bytes:
        ranges.append(offset)
        return content[offset : offset + length]

    reader = CbinReader(read_range, CbinHeader.parse(path.with_suffix(".ch").read_text()))
    assert np.array_equal(reader.read(2_000, 3_000, slice(0, 2)), samples[2_000:3_000, :2])
    assert ranges == [reader.chunk_offsets[2]]
    assert reader.read(4_000, 4_000).shape == (0, 3)
    with pytest.raises(IndexError):
        reader.read(0, 5_001)
    with pytest.raises(IndexError):
        reader.read(0, 1, [3])
    with pytest.raises(TypeError):
        reader.read(0, 1, [0.5])  # type: ignore[list-item]


def a_header(**changes: Any) -> dict[str, Any]:
    fields = {
        "version": "1.0",
        "algorithm": "zlib",
        "dtype": "int16",
        "n_channels": 2,
        "sample_rate": 30_000.0,
        "chunk_order": "F",
        "do_time_diff": True,
        "do_spatial_diff": False,
        "chunk_bounds": [0, 100],
        "chunk_offsets": [0, 50],
    }
    return {key: value for key, value in {**fields, **changes}.items() if value is not ...}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_channels": 0}, "n_channels"),
        ({"n_channels": 1 << 40}, "n_channels"),
        ({"n_channels": True}, "n_channels"),
        ({"sample_rate": 0}, "sample_rate"),
        ({"sample_rate": None}, "sample_rate"),
        ({"dtype": "object"}, "dtype"),
        ({"dtype": "nonsense"}, "dtype"),
        ({"chunk_bounds": [0, 1 << 60]}, "1 GiB"),
        ({"chunk_bounds": [0]}, "same length"),
        ({"chunk_bounds": [1, 100]}, "start at 0"),
        ({"chunk_bounds": [0, "100"]}, "must be integers"),
        ({"chunk_bounds": {"0": 1}}, "lists"),
        ({"chunk_offsets": [0, 0]}, "offsets must ascend"),
        ({"chunk_offsets": ...}, "has no chunk_offsets"),
        ({"chunk_order": "K"}, "chunk_order"),
        ({"algorithm": "cingulum"}, "algorithm"),
        ({"cingulum_tail_base64": "*"}, "base64"),
    ],
)
def test_a_hostile_or_broken_header_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidHeader, match=message):
        CbinHeader.parse(json.dumps(a_header(**changes)))


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000])
def test_a_header_that_is_not_a_json_object_is_refused(content: str) -> None:
    with pytest.raises(InvalidHeader):
        CbinHeader.parse(content)


def test_the_error_of_a_cbin_without_header_names_the_header(tmp_path: Path) -> None:
    (tmp_path / "probe.cbin").write_bytes(b"")
    with pytest.raises(InvalidHeader, match=r"probe\.ch is missing"):
        CbinFile(tmp_path / "probe.cbin")


def test_an_empty_recording_is_refused_by_name(write_raw: WriteRaw) -> None:
    samples = a_recording(10, 3)
    with pytest.raises(EmptyRecording):
        compress_to_cbin(write_raw(samples[:0]), layout=a_layout(samples))


def test_nothing_is_overwritten_unless_requested(write_raw: WriteRaw) -> None:
    samples = a_recording()
    raw = write_raw(samples)
    compress_to_cbin(raw, layout=a_layout(samples))
    before = raw.with_suffix(".cbin").read_bytes()
    with pytest.raises(TargetExists):
        compress_to_cbin(raw, layout=a_layout(samples), preset="compatible-fast")
    assert raw.with_suffix(".cbin").read_bytes() == before
    compress_to_cbin(raw, layout=a_layout(samples), preset="compatible-fast", overwrite=True)
    assert np.array_equal(read_by_mtscomp(raw.with_suffix(".cbin")), samples)


def test_the_second_of_two_writers_is_turned_away(write_raw: WriteRaw) -> None:
    samples = a_recording()
    raw = write_raw(samples)
    with sole_writer(raw.with_suffix(".cbin")), pytest.raises(TargetBusy):
        compress_to_cbin(raw, layout=a_layout(samples))
    compress_to_cbin(raw, layout=a_layout(samples))
    assert sorted(path.name for path in raw.parent.iterdir()) == [
        "probe.ap.bin",
        "probe.ap.cbin",
        "probe.ap.ch",
    ]


def test_a_failed_proof_leaves_nothing_behind(write_raw: WriteRaw, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = a_recording()
    raw = write_raw(samples)
    wrong = zlib.compress(bytes(1_000 * samples.shape[1] * 2))
    monkeypatch.setattr("cingulum.codec.cbin_writer.compressor", lambda _: ("zlib", 6, lambda _: wrong))
    with pytest.raises(ProofFailed):
        compress_to_cbin(raw, layout=a_layout(samples))
    assert [path.name for path in raw.parent.iterdir()] == ["probe.ap.bin"]


def test_a_full_disk_leaves_nothing_behind(write_raw: WriteRaw, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = a_recording()
    raw = write_raw(samples)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cingulum.codec.journal.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        compress_to_cbin(raw, layout=a_layout(samples))
    assert [path.name for path in raw.parent.iterdir()] == ["probe.ap.bin"]


def test_a_source_that_changes_meanwhile_is_noticed(write_raw: WriteRaw) -> None:
    samples = a_recording()
    raw = write_raw(samples)

    def append(_: object) -> None:
        with raw.open("ab") as file:
            file.write(b"more")

    with pytest.raises(CodecError, match="modified while"):
        compress_to_cbin(raw, layout=a_layout(samples), on_progress=append, threads=1)


def test_a_compressed_recording_is_rewritten_without_the_raw_file(write_raw: WriteRaw) -> None:
    samples = a_recording()
    raw = write_raw(samples)
    path = written_by_mtscomp(raw, samples)
    with CbinFile(path) as recording:
        result = write_cbin(Decoded(recording), raw.with_name("again.cbin"), preset="compatible-fast")
        assert decoded_digests(recording).sha256 == result.raw.sha256 == digests_of(raw).sha256
    assert np.array_equal(read_by_mtscomp(raw.with_name("again.cbin")), samples)

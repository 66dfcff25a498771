"""The .cgl file: proved, resumable, read in ranges, and honest about damage."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import struct
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from cingulum.codec import (
    CbinFile,
    CglFile,
    CglReader,
    CodecError,
    DamagedChunk,
    Decoded,
    InvalidHeader,
    ProofFailed,
    RawLayout,
    TargetBusy,
    TargetExists,
    compress,
    compress_to_cbin,
    decompress_to_bin,
    digests_of,
    encode,
    read_index,
    write_cgl,
)
from cingulum.codec.atomic import sole_writer
from cingulum.codec.checksums import crc32
from cingulum.codec.container import START, TRAILER
from cingulum.codec.journal import journal_path
from cingulum.codec.source import RawFile

from .conftest import WriteRaw, a_layout, a_recording


@pytest.mark.parametrize("tail", [b"", b"\x01", b"\x01\x02\x03\x04\x05"])
def test_the_raw_file_round_trips_with_an_incomplete_sample(write_raw: WriteRaw, tail: bytes) -> None:
    samples = a_recording(3_500, 6)
    raw = write_raw(samples, tail)
    result = compress(raw, layout=a_layout(samples), threads=2)
    assert (result.n_samples, result.n_chunks, result.tail_bytes) == (3_500, 1, len(tail))
    assert result.raw == digests_of(raw)
    assert result.compressed == digests_of(raw.with_suffix(".cgl"))
    with CglFile(raw.with_suffix(".cgl")) as recording:
        decompress_to_bin(recording, raw.with_name("again.bin"))
    assert raw.with_name("again.bin").read_bytes() == raw.read_bytes()


@pytest.mark.parametrize("content", [b"", b"\x07"])
def test_an_empty_file_or_less_than_a_sample_round_trips(write_raw: WriteRaw, content: bytes) -> None:
    samples = a_recording(1, 6)
    raw = write_raw(samples[:0], content)
    compress(raw, layout=a_layout(samples))
    with CglFile(raw.with_suffix(".cgl")) as recording:
        assert recording.shape == (0, 6)
        decompress_to_bin(recording, raw.with_name("again.bin"))
    assert raw.with_name("again.bin").read_bytes() == content


def test_slices_equal_the_source_across_chunks_and_channels(write_raw: WriteRaw) -> None:
    samples = a_recording(5_200, 80)
    raw = write_raw(samples)
    compress(raw, layout=a_layout(samples), chunk_s=2.0)
    with CglFile(raw.with_suffix(".cgl")) as recording:
        assert recording.chunk_bounds == (0, 2_000, 4_000, 5_200)
        for t0, t1, channels in [
            (0, 5_200, None),
            (1_990, 4_010, [0, 79, 33]),
            (5_199, 5_200, slice(64, 70)),
        ]:
            part = recording.read(t0, t1, channels)
            assert np.array_equal(part, samples[t0:t1] if channels is None else samples[t0:t1, channels])


def test_a_slice_over_a_network_requests_few_bytes_in_few_ranges(write_raw: WriteRaw) -> None:
    samples = np.random.default_rng(0).normal(0, 20, (60_000, 128)).astype("<i2")
    raw = write_raw(samples)
    compress(raw, layout=RawLayout(128, 30_000.0), preset="fast")
    content, ranges = raw.with_suffix(".cgl").read_bytes(), []

    def read_range(offset: int, length: int) -> bytes:
        ranges.append(length)
        return content[offset : offset + length]

    reader = CglReader(read_range, read_index(read_range, len(content)))
    assert np.array_equal(reader.read(30_000, 60_000, [5, 6]), samples[30_000:60_000, 5:7])
    assert len(ranges) == 3
    assert sum(ranges) < len(content) / 10


def test_a_fractional_rate_gives_the_same_edges_to_writer_and_reader(write_raw: WriteRaw) -> None:
    samples = a_recording(90_000, 2)
    raw = write_raw(samples)
    compress(raw, layout=RawLayout(2, 29_999.43), preset="fast")
    with CglFile(raw.with_suffix(".cgl")) as recording:
        assert recording.chunk_bounds == (0, 29_999, 59_998, 89_997, 90_000)
        assert np.array_equal(recording.read(29_998, 30_001), samples[29_998:30_001])


def test_each_of_500_flipped_bytes_raises_and_names_its_second(
    write_raw: WriteRaw,
) -> None:
    samples = a_recording(4_000, 5)
    raw = write_raw(samples)
    compress(raw, layout=a_layout(samples), chunk_s=1.0)
    good = raw.with_suffix(".cgl").read_bytes()
    with CglFile(raw.with_suffix(".cgl")) as recording:
        index = recording.index
    for place in np.random.default_rng(2).integers(len(START), index.chunk_offsets[-1], 500).tolist():
        bad = bytearray(good)
        bad[place] ^= 1 << (place % 8)
        reader = CglReader(lambda offset, length, bad=bad: bytes(bad[offset : offset + length]), index)
        hit = int(np.searchsorted(index.chunk_offsets, place, side="right")) - 1
        with pytest.raises(DamagedChunk, match=rf"seconds {hit}\.000 to {hit + 1}\.000"):
            reader.read_chunk(hit)
        other = (hit + 1) % 4
        assert np.array_equal(reader.read_chunk(other), samples[other * 1_000 : other * 1_000 + 1_000])


def test_damage_outside_the_chunks_is_refused_by_name(write_raw: WriteRaw) -> None:
    samples = a_recording()
    raw = write_raw(samples)
    compress(raw, layout=a_layout(samples))
    good = raw.with_suffix(".cgl").read_bytes()

    def reading(content: bytes) -> None:
        read_index(lambda offset, length: content[offset : offset + length], len(content))

    reading(good)
    (start, *_) = TRAILER.unpack(good[-TRAILER.size :])
    for place in range(start, len(good) - 12):
        bad = bytearray(good)
        bad[place] ^= 0xFF
        with pytest.raises(InvalidHeader):
            reading(bytes(bad))
    for length in (0, 10, 100, len(good) - 1):
        with pytest.raises(InvalidHeader):
            reading(good[:length])


@pytest.mark.parametrize(
    "changes",
    [
        {"n_channels": 0},
        {"n_channels": 10**12},
        {"dtype": "O"},
        {"sample_rate_hz": -1},
        {"chunk_bounds": [0, 1 << 62]},
        {"chunk_bounds": [0]},
        {"chunk_offsets": [16, 16]},
        {"chunk_offsets": [16, 1 << 40]},
        {"tail_base64": "?"},
        {"raw": {}},
        {"shanks": None},
    ],
)
def test_a_hostile_index_is_refused(write_raw: WriteRaw, changes: dict[str, object]) -> None:
    samples = a_recording()
    raw = write_raw(samples)
    compress(raw, layout=a_layout(samples))
    good = raw.with_suffix(".cgl").read_bytes()
    start, length, *_ = TRAILER.unpack(good[-TRAILER.size :])
    content = json.dumps({**json.loads(good[start : start + length]), **changes}).encode()
    bad = good[:start] + content + TRAILER.pack(start, len(content), crc32(content), 1, 0, b"CGLINDEX")
    with pytest.raises(InvalidHeader):
        read_index(lambda offset, length: bad[offset : offset + length], len(bad))


def test_a_trailer_that_claims_a_huge_index_is_refused() -> None:
    bad = START + bytes(64) + TRAILER.pack(16, 1 << 60, 0, 1, 0, b"CGLINDEX")
    with pytest.raises(InvalidHeader):
        read_index(lambda offset, length: bad[offset : offset + length], len(bad))


def _compress_slowly(raw: Path, layout: RawLayout) -> None:
    compress(raw, layout=layout, preset="fast", kernel="numpy", threads=1, chunk_s=0.2)


def _until_a_chunk_is_written(target: Path, child: BaseProcess) -> None:
    """Wait until the journal has a line of a chunk, or all is over."""
    journal = journal_path(target)
    while child.is_alive() and not (journal.exists() and journal.read_text().count("\n") > 1):
        pass


def test_a_writer_killed_at_any_moment_is_taken_up_and_nothing_is_lost(write_raw: WriteRaw) -> None:
    samples = a_recording(8_000, 30)
    raw = write_raw(samples, b"tail")
    target = raw.with_suffix(".cgl")
    started = time.perf_counter()
    _compress_slowly(raw, a_layout(samples))
    whole_s, whole = time.perf_counter() - started, target.read_bytes()
    draw, resumed = random.Random(11), 0
    fork = multiprocessing.get_context("fork")
    for n in range(20):
        target.unlink(missing_ok=True)
        child = fork.Process(target=_compress_slowly, args=(raw, a_layout(samples)))
        child.start()
        if n % 2:
            _until_a_chunk_is_written(target, child)
        else:
            time.sleep(draw.uniform(0.0, 1.2) * whole_s)
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        result = compress(
            raw, layout=a_layout(samples), preset="fast", chunk_s=0.2, overwrite=True, threads=1
        )
        resumed += result.resumed_chunks > 0
        assert target.read_bytes() == whole
        assert sorted(path.name for path in raw.parent.iterdir()) == ["probe.ap.bin", "probe.ap.cgl"]
    assert resumed


def half_done(raw: Path, layout: RawLayout) -> None:
    """Leave what a killed writer leaves."""
    fork = multiprocessing.get_context("fork")

    def die_after_five_chunks() -> None:
        def count(progress: object, calls: list[object] = []) -> None:  # noqa: B006  a counter of this process
            calls.append(progress)
            if len(calls) == 5:
                os.kill(os.getpid(), signal.SIGKILL)

        compress(raw, layout=layout, chunk_s=0.5, threads=1, on_progress=count)

    child = fork.Process(target=die_after_five_chunks)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL


def test_what_was_written_before_the_kill_is_not_compressed_again(write_raw: WriteRaw) -> None:
    samples = a_recording(4_000, 5)
    raw = write_raw(samples)
    half_done(raw, a_layout(samples))
    result = compress(raw, layout=a_layout(samples), chunk_s=0.5)
    assert result.resumed_chunks == 5
    assert result.raw == digests_of(raw)


@pytest.mark.parametrize("change", ["source", "settings", "half a line", "a chunk's bytes"])
def test_nothing_is_taken_over_that_does_not_fit(write_raw: WriteRaw, change: str) -> None:
    samples = a_recording(4_000, 5)
    raw = write_raw(samples)
    half_done(raw, a_layout(samples))
    part, journal = raw.with_name(".probe.ap.cgl.part"), raw.with_name(".probe.ap.cgl.journal")
    expected = 0
    if change == "source":
        raw.write_bytes(samples[::-1].tobytes())
    elif change == "half a line":
        journal.write_bytes(journal.read_bytes()[:-3])
        expected = 4
    elif change == "a chunk's bytes":
        content = bytearray(part.read_bytes())
        content[len(START) + 50] ^= 1
        part.write_bytes(content)
    result = compress(
        raw, layout=a_layout(samples), chunk_s=0.5, preset="fast" if change == "settings" else "small"
    )
    assert result.resumed_chunks == expected
    with CglFile(raw.with_suffix(".cgl")) as recording:
        assert decompress_to_bin(recording, raw.with_name("again.bin")) == digests_of(raw)


def test_two_writers_of_one_target_do_not_meet(write_raw: WriteRaw) -> None:
    samples = a_recording()
    raw = write_raw(samples)
    with sole_writer(raw.with_suffix(".cgl")), pytest.raises(TargetBusy):
        compress(raw, layout=a_layout(samples))
    compress(raw, layout=a_layout(samples))
    with pytest.raises(TargetExists):
        compress(raw, layout=a_layout(samples))


def test_what_does_not_decode_to_the_source_never_gets_the_name(
    write_raw: WriteRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = a_recording()
    raw = write_raw(samples)
    monkeypatch.setattr("cingulum.codec.container_writer.encode", lambda samples, **_: encode(samples + 1))
    with pytest.raises(ProofFailed):
        compress(raw, layout=a_layout(samples))
    assert [path.name for path in raw.parent.iterdir()] == ["probe.ap.bin"]


def test_a_disk_that_fills_up_leaves_nothing_behind(write_raw: WriteRaw) -> None:
    samples = np.random.default_rng(0).integers(-32768, 32767, (6_000, 40)).astype("<i2")
    raw = write_raw(samples)
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            compress(raw, layout=a_layout(samples), chunk_s=0.5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [path.name for path in raw.parent.iterdir()] == ["probe.ap.bin"]


def test_offsets_past_4_gib_are_read(tmp_path: Path, write_raw: WriteRaw) -> None:
    samples = a_recording(1_000, 4)
    raw = write_raw(samples)
    compress(raw, layout=a_layout(samples))
    content = raw.with_suffix(".cgl").read_bytes()
    start, length, *_ = TRAILER.unpack(content[-TRAILER.size :])
    fields = json.loads(content[start : start + length])
    # Five chunks of a gigabyte each stand before the real one, as holes in a sparse file.
    long = (1 << 30) // 8
    far = len(START) + (5 << 30)
    fields["chunk_bounds"] = [*range(0, 5 * long + 1, long), 5 * long + 1_000]
    fields["chunk_offsets"] = [*range(len(START), far + 1, 1 << 30), far + start - len(START)]
    fields["raw"]["size_bytes"] = 8 * (5 * long + 1_000)
    index = json.dumps(fields).encode()
    moved = tmp_path / "moved.cgl"
    with moved.open("wb") as file:
        file.seek(far)
        file.write(content[len(START) : start] + index)
        file.write(TRAILER.pack(far + start - len(START), len(index), crc32(index), 1, 0, b"CGLINDEX"))
    with CglFile(moved) as recording:
        assert np.array_equal(recording.read(5 * long + 10, 5 * long + 1_000), samples[10:])


def test_a_raw_file_past_4_gib_is_addressed_exactly(tmp_path: Path) -> None:
    raw = tmp_path / "huge.bin"
    samples = a_recording(1_000, 64)
    with raw.open("wb") as file:
        file.truncate((5 << 30) - samples.nbytes)
        file.seek(0, os.SEEK_END)
        file.write(samples.tobytes())
    source = RawFile(raw, RawLayout(64, 1_000.0), chunk_duration_s=1.0)
    assert samples.tobytes().endswith(source.read_chunk(len(source.chunk_bounds) - 2))


def test_an_mtscomp_recording_becomes_a_cgl_without_the_raw_file(write_raw: WriteRaw) -> None:
    samples = a_recording(3_000, 6)
    raw = write_raw(samples, b"x")
    compress_to_cbin(raw, layout=a_layout(samples))
    with CbinFile(raw.with_suffix(".cbin")) as cbin:
        result = write_cgl(Decoded(cbin), raw.with_suffix(".cgl"))
    assert result.raw == digests_of(raw)


def test_a_wrong_channel_count_is_warned_of(write_raw: WriteRaw) -> None:
    draw = np.random.default_rng(0)
    samples = (np.cumsum(draw.normal(0, 30, (30_000, 24)), axis=0) + draw.normal(0, 1, (30_000, 24))).astype(
        "<i2"
    )
    samples += (np.arange(24) * 1_000).astype("<i2")
    raw = write_raw(samples)
    right = compress(raw, layout=RawLayout(24, 30_000.0))
    wrong = compress(raw, raw.with_name("wrong.cgl"), layout=RawLayout(25, 30_000.0))
    assert not right.warnings
    assert any("25 channels" in warning for warning in wrong.warnings)


def test_the_hash_that_spikeglx_wrote_is_compared(write_raw: WriteRaw) -> None:
    samples = a_recording()
    raw = write_raw(samples)
    for sha1, as_acquired in [(digests_of(raw).sha1, True), ("ab" * 20, False), ("0" * 40, True)]:
        meta = {"nSavedChans": str(samples.shape[1]), "imSampRate": "1000", "fileSHA1": sha1}
        result = compress(raw, layout=RawLayout.from_spikeglx(meta), overwrite=True)
        assert [contradiction.field for contradiction in result.contradictions] == (
            [] if as_acquired else ["fileSHA1"]
        )
        assert any("fileSHA1 claims" in warning for warning in result.warnings) is not as_acquired


def test_the_version_is_at_the_start_of_the_file() -> None:
    assert START[:8] == b"\x89CGL\r\n\x1a\n"
    assert struct.unpack_from("<H", START, 8) == (1,)
    assert issubclass(InvalidHeader, CodecError)

"""Raw NWB files of generated recordings, read by pynwb and by h5py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from nwbinspector import inspect_nwbfile, load_config
from pynwb import NWBHDF5IO

from cingulum.codec import RawLayout, compress, compress_to_cbin, parse_meta
from cingulum.codec.zarr_v2 import RecordingCodec
from cingulum.nwb import raw_file
from cingulum.nwb.facts import Facts
from cingulum.nwb.raw_file import RawFile, write_raw
from cingulum.nwb.writer import NotWritable
from tests.support.nwb_sessions import CREATED, FACTS, RUN, SERIES, a_session_with_voltage, add_histology
from tests.support.recordings import META, STEM, UV_PER_BIT


def _write(session: Path, out: Path, **options: Any) -> RawFile:
    return write_raw(session, FACTS, out, CREATED, **options)


@pytest.mark.parametrize("suffix", ["cgl", "cbin", "bin"])
def test_voltage_is_read_back_equal_in_volts(tmp_path: Path, suffix: str) -> None:
    session, samples = a_session_with_voltage(tmp_path, suffix)
    steps: list[tuple[int, int]] = []
    written = _write(session, tmp_path / "out", progress=lambda *step: steps.append(step))
    assert written.path is not None
    assert written.path.name == "sub-SWC-054_ses-2024-05-01-001_desc-raw_ecephys.nwb"
    assert steps[-1] == (3_300, 3_300)
    with NWBHDF5IO(written.path, "r") as io:
        series = io.read().acquisition[SERIES]
        assert np.array_equal(series.data[:], samples[:, :4])
        volts = series.data[:] * series.conversion * series.channel_conversion[:]
        assert np.allclose(volts, samples[:, :4] * np.array(UV_PER_BIT) * 1e-6, rtol=1e-12)
        assert (series.rate, series.starting_time) == (1_000.0, 0.0)
    assert [entry.object for entry in written.left_out] == ["probe00.ap", "probe00.ap", "probe00.channels"]
    assert [path.name for path in written.path.parent.iterdir()] == [written.path.name]


def test_the_same_recording_gives_the_same_bytes(tmp_path: Path) -> None:
    session, _ = a_session_with_voltage(tmp_path)
    first, second = _write(session, tmp_path / "a").path, _write(session, tmp_path / "b").path
    assert first is not None
    assert second is not None
    assert first.read_bytes() == second.read_bytes()


def test_blocks_are_small_and_hold_64_channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a thread has in memory at a time is one block of all channels."""
    session = tmp_path / "hilllab/Subjects/m1/2024-05-01/001"
    probe = session / "raw_ephys_data/probe00"
    probe.mkdir(parents=True)
    samples = np.random.default_rng(0).integers(-9, 9, (5_000, 101), np.int16)
    (probe / f"{STEM}.bin").write_bytes(samples.tobytes())
    gains = "".join(f"({n} 0 0 500 250 1)" for n in range(100))
    entries = META.replace("nSavedChans=5", "nSavedChans=101").replace("4,0,1", "100,0,1")
    meta = f"{entries.partition('~')[0]}~imroTbl=(0,100){gains}\n"
    (probe / f"{STEM}.meta").write_text(meta)
    monkeypatch.setattr(raw_file, "_BLOCK_BYTES", 2_000 * 101 * 2)
    written = _write(session, tmp_path / "out")
    assert written.path is not None
    with h5py.File(written.path, "r") as file:
        data = file["acquisition"][SERIES]["data"]
        assert data.chunks == (2_000, 64)
        assert np.array_equal(data[:], samples[:, :100])
        assert data.attrs["conversion"] == pytest.approx(2.34375e-6)


def test_a_clock_that_drifts_gives_each_sample_its_time(tmp_path: Path) -> None:
    session, _ = a_session_with_voltage(tmp_path)
    points = np.array([[0.0, 5.0], [1_000.0, 6.0], [2_000.0, 7.2]])
    np.save(session / "raw_ephys_data/probe00" / f"{RUN}.timestamps.npy", points)
    written = _write(session, tmp_path / "out")
    assert written.path is not None
    with NWBHDF5IO(written.path, "r") as io:
        series = io.read().acquisition[SERIES]
        assert series.timestamps[[0, 1_000, 1_500, 3_000]] == pytest.approx([5.0, 6.0, 6.6, 8.4])


def test_both_bands_share_the_electrodes_and_videos_are_beside(tmp_path: Path) -> None:
    session, samples = a_session_with_voltage(tmp_path)
    probe = session / "raw_ephys_data/probe00"
    lf = probe / f"{RUN}.lf.bin"
    lf.write_bytes(samples[::10].tobytes())
    (probe / f"{RUN}.lf.meta").write_text(
        META.replace("1000", "100").replace(
            "snsApLfSy=4,0,1", "snsApLfSy=0,4,1\nacqApLfSy=4,4,1\nsnsSaveChanSubset=4:8"
        )
    )
    (session / "raw_video_data").mkdir()
    (session / "raw_video_data/_iblrig_leftCamera.raw.mp4").write_bytes(b"video")
    (session / "raw_video_data/_iblrig_bodyCamera.raw.mp4").write_bytes(b"video")
    (session / "alf").mkdir()
    np.save(session / "alf/_ibl_leftCamera.times.npy", np.arange(5) / 60)
    written = _write(session, tmp_path / "out")
    assert written.path is not None
    with NWBHDF5IO(written.path, "r") as io:
        file = io.read()
        assert np.array_equal(file.acquisition["ElectricalSeriesProbe00LF"].data[:], samples[::10, :4])
        assert len(file.electrodes) == 4
        video = file.acquisition["VideoLeftCamera"]
        assert (written.path.parent / video.external_file[0]).resolve().read_bytes() == b"video"
    assert ("bodyCamera.raw", "left out: there is no bodyCamera.times") in written.left_out


def test_located_electrodes_leave_nothing_for_the_inspector(tmp_path: Path) -> None:
    session, _ = a_session_with_voltage(tmp_path)
    add_histology(session)
    written = _write(session, tmp_path / "out")
    assert written.path is not None
    messages = list(inspect_nwbfile(nwbfile_path=written.path, config=load_config("dandi")))
    assert [
        message.message for message in messages if message.importance.name != "BEST_PRACTICE_SUGGESTION"
    ] == []


@pytest.mark.parametrize("address", [None, "https://data.example/hilllab/m1/"])
@pytest.mark.parametrize("suffix", ["cgl", "cbin", "bin"])
def test_links_point_to_the_chunks_of_the_recording(tmp_path: Path, suffix: str, address: str | None) -> None:
    session, samples = a_session_with_voltage(tmp_path, suffix)
    written = _write(session, tmp_path / "out", link=True, address=address)
    assert written.path is not None
    assert written.path.name.endswith("_desc-raw_ecephys.nwb.lindi.json")
    assert [path.name for path in written.path.parent.iterdir()] == [written.path.name]
    document = json.loads(written.path.read_text())
    place = session / "raw_ephys_data/probe00" / f"{STEM}.{suffix}"
    inside = f"raw_ephys_data/probe00/{STEM}.{suffix}"
    assert document["templates"] == {
        "u1": f"https://data.example/hilllab/m1/{inside}" if address else str(place)
    }
    array = document["refs"][f"acquisition/{SERIES}/data/.zarray"]
    codec = RecordingCodec.from_config(
        {key: value for key, value in array["compressor"].items() if key != "id"}
    )
    content = place.read_bytes()
    blocks = []
    for n in range(4):
        where, offset, length = document["refs"][f"acquisition/{SERIES}/data/{n}.0"]
        assert where == "{{u1}}"
        blocks.append(codec.decode(content[offset : offset + length]).view("<i2").reshape(array["chunks"]))
    assert np.array_equal(np.concatenate(blocks)[: array["shape"][0]], samples[:, :4])


def test_chunks_of_different_lengths_cannot_be_linked(tmp_path: Path) -> None:
    session, samples = a_session_with_voltage(tmp_path, "cbin")
    header = session / "raw_ephys_data/probe00" / f"{STEM}.ch"
    raw = tmp_path / "x.bin"
    raw.write_bytes(samples[:1_500].tobytes())
    compress_to_cbin(raw, layout=RawLayout.from_spikeglx(parse_meta(META)))
    fields = json.loads((tmp_path / "x.ch").read_text())
    fields["chunk_bounds"] = [0, 500, 1_500]
    header.write_text(json.dumps(fields))
    (session / "raw_ephys_data/probe00" / f"{STEM}.cbin").write_bytes((tmp_path / "x.cbin").read_bytes())
    with pytest.raises(ValueError, match="copy the voltage"):
        _write(session, tmp_path / "out", link=True)
    assert not list((tmp_path / "out").rglob("*.nwb*"))


def test_a_recording_without_scale_is_left_out(tmp_path: Path) -> None:
    session, _ = a_session_with_voltage(tmp_path)
    (session / "raw_ephys_data/probe00" / f"{STEM}.meta").unlink()
    written = _write(session, tmp_path / "out")
    assert written.path is None
    assert written.left_out == (("probe00.ap", "left out: its .meta does not tell the scale in volts"),)


def test_without_a_start_time_nothing_is_written(tmp_path: Path) -> None:
    session, _ = a_session_with_voltage(tmp_path)
    with pytest.raises(NotWritable):
        write_raw(session, Facts(), tmp_path / "out", CREATED)
    assert not list((tmp_path).rglob("*.nwb*"))


def test_a_damaged_chunk_leaves_no_file(tmp_path: Path) -> None:
    session, samples = a_session_with_voltage(tmp_path, "bin")
    raw = session / "raw_ephys_data/probe00" / f"{STEM}.bin"
    packed = compress(raw, layout=RawLayout.from_spikeglx(parse_meta(META)), chunk_s=1.0)
    del packed, samples
    raw.unlink()
    content = bytearray(raw.with_suffix(".cgl").read_bytes())
    content[len(content) // 3] ^= 0xFF
    raw.with_suffix(".cgl").write_bytes(content)
    with pytest.raises(Exception, match="chunk"):
        _write(session, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.nwb*"))

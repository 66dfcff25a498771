"""A session's folder is analysed whole: every object it holds gives its numbers and figures."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cingulum.analysis import Trials
from cingulum.analysis.folder import Options, analyse_folder
from cingulum.analysis.result import AnalysisError
from cingulum.analysis.trials import COLUMNS, MissingColumns
from examples import ibl_sessions


def write_trials(alf: Path, trials: Trials) -> None:
    alf.mkdir(parents=True, exist_ok=True)
    columns = {COLUMNS[name]: column for name, column in trials.present().items()}
    pq.write_table(pa.table(columns), alf / "_ibl_trials.table.pqt")


@pytest.fixture
def session(tmp_path: Path, sessions: dict[str, Trials], probe: ibl_sessions.ProbeRecording) -> Path:
    """Trials of one real day, the spikes of another recording, one wheel and a made-up photometry signal."""
    folder = tmp_path / "mainenlab/Subjects/SWC_054/2020-09-01/001"
    write_trials(folder / "alf", sessions["2020-09-01"])
    ephys = folder / "alf/probe00"
    ephys.mkdir()
    few = probe.clusters < 8
    np.save(ephys / "spikes.times.npy", probe.times_s[few])
    np.save(ephys / "spikes.clusters.npy", probe.clusters[few])
    np.save(ephys / "spikes.amps.npy", np.full(few.sum(), 80e-6))
    np.save(ephys / "spikes.depths.npy", 100.0 * probe.clusters[few])
    wheel = ibl_sessions.read_wheels(ibl_sessions.fetch_wheel(ibl_sessions.cache_folder()))["fpga"]
    # The publishers give centimetres, ALF keeps radians: a rim of 3.1 cm.
    np.save(folder / "alf/_ibl_wheel.position.npy", wheel.position / 3.1)
    np.save(folder / "alf/_ibl_wheel.timestamps.npy", wheel.times_s)
    write_photometry(folder / "alf/photometry")
    return folder


def write_photometry(folder: Path) -> None:
    folder.mkdir()
    times = np.arange(0, 1000, 1 / 60)
    control = np.arange(len(times)) % 2 == 1
    table = {
        "times": times,
        "valid": np.ones(len(times), dtype=bool),
        "name": np.where(control, "Isosbestic", "GCaMP"),
        "G0": 1.0 + 0.1 * np.sin(times / 50),
    }
    pq.write_table(pa.table(table), folder / "photometry.signal.pqt")


def test_every_object_gives_numbers_and_figures(session: Path) -> None:
    files = dict(analyse_folder(session, Options(n_units=1, bootstraps=20)))
    at_top = {
        "trial_summary.json", "psychometric.json", "chronometry.json", "performance_by_contrast.json",
        "training_status.json", "psychometric.svg", "chronometry.svg", "wheel_movements.json", "photometry/G0.json",
    }  # fmt: skip
    of_probe = {"units.json", "autocorrelograms.json", "psth.json", "drift_map.json", "drift_map.svg"}
    assert at_top <= files.keys()
    assert {f"probe00/{name}" for name in of_probe} <= files.keys()
    shown = json.loads(files["probe00/psth.json"])
    assert 0 < shown["n_events"][3] < 40  # 1,104 trials, of which the first 120 s were recorded
    drawn = sorted(name.rsplit("/", 1)[1] for name in files if "/unit_" in name)
    assert drawn == ["autocorrelogram.svg", "psth.svg", "raster.svg"]
    for name, text in files.items():
        if name.endswith(".svg"):
            ET.fromstring(text)  # noqa: S314 - our own text
        else:
            json.loads(text, parse_constant=pytest.fail)


def test_the_numbers_are_those_of_the_session(session: Path) -> None:
    files = dict(analyse_folder(session, Options(n_units=0)))
    assert json.loads(files["trial_summary.json"])["n_trials"] == 1104
    assert len(json.loads(files["wheel_movements.json"])["onsets_s"]) == 64
    curves = json.loads(files["psychometric.json"])
    assert [curve["block"] for curve in curves["by_block"]] == [0.2, 0.5, 0.8]
    units = json.loads(files["probe00/units.json"])
    assert units["amplitude_median_uv"][0] == pytest.approx(80.0)
    status = json.loads(files["training_status.json"])
    assert status["sessions"] == ["2020-09-01"]
    assert status["next"]["conditions"][0]["missing"] == "biased or ephys sessions: 1, must be at least 3"


def test_two_tasks_in_one_session_are_written_apart(tmp_path: Path, sessions: dict[str, Trials]) -> None:
    write_trials(tmp_path / "alf/task_00", sessions["2020-08-21"])
    write_trials(tmp_path / "alf/task_01", sessions["2020-08-24"])
    files = dict(analyse_folder(tmp_path, Options()))
    counts = [json.loads(files[f"task_0{i}/trial_summary.json"])["n_trials"] for i in range(2)]
    assert counts == [719, 532]


def test_a_table_without_choices_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "alf").mkdir()
    pq.write_table(pa.table({"response_times": [1.0]}), tmp_path / "alf/_ibl_trials.table.pqt")
    with pytest.raises(MissingColumns, match="contrastLeft"):
        list(analyse_folder(tmp_path, Options()))


def test_a_folder_of_other_things_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "raw_video_data").mkdir()
    (tmp_path / "notes.txt").write_text("rainy")
    assert list(analyse_folder(tmp_path, Options())) == []


def test_a_folder_of_several_sessions_names_one_of_them(tmp_path: Path) -> None:
    ibl_sessions.write_alf(tmp_path, "mainenlab")
    with pytest.raises(AnalysisError, match=r"contains 11 sessions.*2020-08-21/001"):
        list(analyse_folder(tmp_path / "mainenlab/Subjects/SWC_054", Options()))

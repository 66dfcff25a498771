"""The tasks that write a session's NWB files, with facts from the server and the checks of DANDI beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pynwb import NWBHDF5IO

from cingulum.worker.pipelines.matching import ANY, matches
from cingulum.worker.pipelines.standard import NWB_EXPORT, NWB_EXPORT_RAW, nwb_raw_task, standard
from cingulum.worker.tasks import TaskContext, TaskFailed, nwb_export, nwb_export_raw
from cingulum.worker.tasks.context import JobScope
from services.scheduler.domain.graph import DatasetFact, Slot, derive
from tests.support.nwb_sessions import SERIES, a_session_with_voltage, add_histology
from tests.support.recordings import STEM
from tests.unit.cingulum.worker.tasks.conftest import MakeContext

RECORDS: dict[str, dict[str, Any]] = {
    "/sessions/s1": {
        "id": "s1",
        "subject": "KS 022",
        "lab": "hilllab",
        "start_time": "2019-12-10T09:30:00",
        "number": 1,
        "users": ["Ada Lovelace"],
    },
    "/subjects/KS%20022": {
        "species": "Mus musculus",
        "sex": "F",
        "birth_date": "2019-06-01",
        "strain": "C57BL/6J",
        "genotype": [{"allele": "Cre", "zygosity": 1}],
        "description": "a mouse",
    },
    "/labs/hilllab": {"timezone": "Europe/London", "institution": "University of the Hill"},
}


class Records:
    """The API with these records."""

    def __init__(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        self.records = records

    def get(self, path: str) -> Mapping[str, Any]:
        return self.records[path]


def a_context(
    make_context: MakeContext, session: Path, arrays: dict[str, Any], records: dict[str, dict[str, Any]]
) -> TaskContext:
    """A run on arrays by their paths below the session."""
    for path, values in arrays.items():
        (session / path).parent.mkdir(parents=True, exist_ok=True)
        np.save(session / path, values)
    context = make_context({path: session / path for path in arrays})
    return replace(context, scope=JobScope("s1", "KS 022", "hilllab"), api=Records(records))


SPIKES = {
    "alf/probe00/spikes.times.npy": np.array([1.25, 2.5, 3.75]),
    "alf/probe00/spikes.clusters.npy": np.array([0, 1, 0]),
    "alf/_ibl_wheel.position.npy": np.array([0.0, 1.0]),
}


def test_the_file_has_the_facts_of_the_server_and_the_messages_of_the_checks_lie_beside_it(
    make_context: MakeContext, tmp_path: Path
) -> None:
    context = a_context(make_context, tmp_path / "session", SPIKES, RECORDS)
    nwb_export.run(context)
    with NWBHDF5IO(str(context.output_folder / nwb_export.FILE), mode="r") as io:
        nwb = io.read()
        assert nwb.session_start_time.isoformat() == "2019-12-10T09:30:00+00:00"
        assert (nwb.subject.subject_id, nwb.subject.genotype, nwb.subject.age) == ("KS-022", "Cre 1", "P192D")
        assert (list(nwb.experimenter), nwb.institution) == (["Lovelace, Ada"], "University of the Hill")
        assert nwb.units["spike_times"][0].tolist() == [1.25, 3.75]
    checks = json.loads((context.output_folder / nwb_export.CHECKS).read_text())
    assert checks["passes"] is True
    assert {message["check"] for message in checks["messages"] if message["must_fix"]} == {
        "check_electrodes_location_allen_ccf"
    }
    assert [fact["slug"] for fact in checks["missing_facts"]] == ["location-unknown"]
    assert [entry for entry in checks["left_out"] if entry["object"] == "wheel_position"]
    first = (context.output_folder / nwb_export.FILE).read_bytes()
    nwb_export.run(context)
    assert (context.output_folder / nwb_export.FILE).read_bytes() == first


def test_a_job_without_a_start_time_or_without_usable_inputs_fails_with_the_reason(
    make_context: MakeContext, tmp_path: Path
) -> None:
    without = RECORDS | {"/sessions/s1": RECORDS["/sessions/s1"] | {"start_time": None}}
    with pytest.raises(TaskFailed, match=r"no start time\. Set the session's start_time\."):
        nwb_export.run(a_context(make_context, tmp_path / "a", SPIKES, without))
    wheel = {"alf/_ibl_wheel.position.npy": np.array([0.0, 1.0])}
    with pytest.raises(TaskFailed, match="nothing of the inputs can be written: wheel"):
        nwb_export.run(a_context(make_context, tmp_path / "b", wheel, RECORDS))


@pytest.mark.parametrize(
    ("collection", "name", "is_read"),
    [
        ("alf", "_ibl_trials.table.pqt", True),
        ("alf", "_ibl_wheel.timestamps.npy", True),
        ("alf/probe00/pykilosort", "spikes.times.npy", True),
        ("alf/probe00", "channels.brainLocationIds_ccf_2017.npy", True),
        ("alf/probe00/pykilosort", "spikes.templates.npy", False),
        ("raw_video_data", "_iblrig_leftCamera.times.npy", False),
        ("nwb", "_cingulum_nwb.checks.json", False),
    ],
)
def test_an_input_is_read_once(collection: str, name: str, is_read: bool) -> None:
    fitting = [pattern for pattern in NWB_EXPORT.inputs if matches(pattern, ANY, collection, name)]
    assert len(fitting) == is_read


def a_raw_context(make_context: MakeContext, tmp_path: Path, **parameters: object) -> TaskContext:
    """A session with compressed voltage, histology and a video."""
    session, _ = a_session_with_voltage(tmp_path / "recorded")
    add_histology(session)
    (session / "raw_video_data").mkdir()
    (session / "raw_video_data/_iblrig_leftCamera.raw.mp4").write_bytes(b"video")
    np.save(session / "alf/_ibl_leftCamera.times.npy", np.arange(5) / 60)
    files = {path.relative_to(session).as_posix(): path for path in session.rglob("*") if path.is_file()}
    context = make_context(files, **parameters)
    return replace(context, scope=JobScope("s1", "KS 022", "hilllab"), api=Records(RECORDS))


# A program that writes what `dandi validate --format json_lines` writes.
DANDI = """#!/bin/sh
case "$1" in --version) echo 0.81.0; exit 0;; esac
for last; do :; done
test -f "$last/dandiset.yaml" || exit 3
place="$last/$(cd "$last" && find sub-* -name '*.nwb')"
printf '{"id": "NWBI.check_x", "severity": "%s", "message": "of %s", "path": "%s"}\\n' $SEVERITY "$place" "$place"
exit $STATUS
"""


def test_the_raw_file_has_the_voltage_and_names_the_videos_of_its_session(
    make_context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINGULUM_DANDI", str(tmp_path / "no-dandi"))
    context = a_raw_context(make_context, tmp_path)
    nwb_export_raw.run(context)
    with NWBHDF5IO(str(context.output_folder / nwb_export_raw.FILE), mode="r") as io:
        nwb = io.read()
        assert nwb.acquisition[SERIES].data.shape == (3_300, 4)
        video = nwb.acquisition["VideoLeftCamera"]
        assert video.external_file[:].tolist() == ["../raw_video_data/_iblrig_leftCamera.raw.mp4"]
    checks = json.loads((context.output_folder / nwb_export_raw.CHECKS).read_text())
    assert (checks["passes"], checks["messages"]) == (True, [])
    assert checks["dandi"]["problem"] == "dandi validate: not installed"
    first = {path: path.read_bytes() for path in context.output_folder.rglob("*") if path.is_file()}
    nwb_export_raw.run(context)
    assert first == {path: path.read_bytes() for path in context.output_folder.rglob("*") if path.is_file()}
    assert len(first) == len(NWB_EXPORT_RAW.outputs)


@pytest.mark.parametrize(
    ("severity", "status", "passes", "problem"),
    [
        ("HINT", 0, True, None),
        ("ERROR", 1, False, None),
        ("HINT", 4, None, "dandi validate: it ended with 4: no output"),
    ],
)
def test_messages_of_dandi_lie_beside_those_of_nwbinspector(
    make_context: MakeContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    severity: str,
    status: int,
    passes: bool | None,
    problem: str | None,
) -> None:
    program = tmp_path / "dandi"
    program.write_text(DANDI)
    program.chmod(0o755)
    monkeypatch.setenv("CINGULUM_DANDI", str(program))
    monkeypatch.setenv("SEVERITY", severity)
    monkeypatch.setenv("STATUS", str(status))
    context = a_context(make_context, tmp_path / "session", SPIKES, RECORDS)
    nwb_export.run(context)
    checks = json.loads((context.output_folder / nwb_export.CHECKS).read_text())
    name = "sub-KS-022/sub-KS-022_ses-s1_desc-processed_ecephys.nwb"
    message = {"must_fix": status == 1, "check": "NWBI.check_x", "path": name, "text": f"of {name}"}
    messages = [] if problem else [message]
    assert checks["dandi"] == {"version": "0.81.0", "problem": problem, "messages": messages}
    assert checks["passes"] is passes


def test_linked_voltage_is_read_where_the_session_is_served(
    make_context: MakeContext, tmp_path: Path
) -> None:
    parameters = nwb_raw_task("link", "https://lab.example.org/data/").parameters
    context = a_raw_context(make_context, tmp_path, **parameters)
    nwb_export_raw.run(context)
    document = json.loads((context.output_folder / nwb_export_raw.LINKS).read_text())
    place = "hilllab/Subjects/KS 022/2019-12-10/001/raw_ephys_data/probe00"
    assert document["templates"] == {"u1": f"https://lab.example.org/data/{place}/{STEM}.cgl"}
    checks = json.loads((context.output_folder / nwb_export_raw.CHECKS).read_text())
    assert (checks["passes"], checks["dandi"]["problem"][:23]) == (None, "dandi validate: not run")


def test_voltage_that_comes_later_makes_the_raw_file_and_not_the_processed_one_again() -> None:
    def fact(path: str) -> DatasetFact:
        collection, _, name = path.rpartition("/")
        return DatasetFact(collection, name, path, readable=True)

    tasks = standard(exports_nwb=True)
    before = [fact("alf/probe00/spikes.times.npy"), fact("alf/_ibl_leftCamera.times.npy")]
    voltage = [fact(f"raw_ephys_data/probe00/x.ap.{ending}") for ending in ("cbin", "ch", "meta")]
    slots = Slot("nwb_export", ANY), Slot("nwb_export_raw", ANY)
    first, second = derive("", tasks, before, {}), derive("", tasks, [*before, *voltage], {})
    assert first.keys() & set(slots) == {slots[0]}
    assert first[slots[0]].key == second[slots[0]].key
    assert {path for path, _ in second[slots[1]].inputs} == {
        "alf/_ibl_leftCamera.times.npy",
        *(f"raw_ephys_data/probe00/x.ap.{ending}" for ending in ("cbin", "ch", "meta")),
    }

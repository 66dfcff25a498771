"""The task that writes a session's NWB file, with facts from the server and the checks of DANDI beside it."""

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
from cingulum.worker.pipelines.standard import NWB_EXPORT
from cingulum.worker.tasks import TaskContext, TaskFailed, nwb_export
from cingulum.worker.tasks.context import JobScope
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

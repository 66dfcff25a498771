"""Processed NWB files, read by pynwb and checked by nwbinspector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nwbinspector import inspect_nwbfile, load_config
from pynwb import NWBHDF5IO

from cingulum.atlas import acronyms
from cingulum.nwb.facts import Facts
from cingulum.nwb.plan import FilePlan
from cingulum.nwb.session import plan_session
from cingulum.nwb.writer import NotWritable, build_file, file_name, write_file
from tests.support.nwb_sessions import CREATED, FACTS

RNG = np.random.default_rng(3)
TIMES = np.sort(RNG.random(300) * 100)


def _everything(*, histology: bool = True) -> FilePlan:
    n, few = len(TIMES), TIMES[:5]
    keypoints = {
        f"{part}_{kind}": RNG.random(n) for part in ("nose", "paw") for kind in ("x", "y", "likelihood")
    }
    channels: dict[str, Any] = {"localCoordinates": RNG.random((20, 2)), "mlapdv": RNG.random((20, 3)) * 1e3}
    if histology:
        channels["brainLocationIds_ccf_2017"] = np.full(20, 385)
    objects: dict[str, Any] = {
        "trials": {"intervals": np.stack([few, few + 0.1], axis=1), "choice": np.array([1, -1, 0, 1, 1])},
        "wheel": {"position": RNG.random(n) * 50, "timestamps": TIMES},
        "wheelMoves": {"intervals": np.stack([few, few + 0.1], axis=1), "peakAmplitude": RNG.random(5)},
        "licks": {"times": few},
        "leftCamera": {
            "times": TIMES,
            "dlc": keypoints,
            "features": {"pupilDiameter_raw": RNG.random(n), "pupilDiameter_smooth": RNG.random(n)},
            "ROIMotionEnergy": RNG.random(n),
        },
        "passiveRFM": {"times": TIMES},
        "passiveGabor": {"table": {"start": few, "stop": few + 0.1, "contrast": few}},
        "passiveStims": {"table": {"valveOn": few, "valveOff": few + 0.1}},
        "passivePeriods": {
            "intervalsTable": {"": np.array(["start", "stop"]), "spontaneousActivity": np.array([2.0, 3.0])}
        },
    }
    probe: dict[str, Any] = {
        "spikes": {"times": TIMES, "clusters": np.arange(n) % 9, "amps": RNG.random(n)},
        "clusters": {
            "channels": np.arange(9),
            "depths": RNG.random(9),
            "metrics": {"cluster_id": np.arange(9), "label": RNG.random(9)},
        },
        "channels": channels,
    }
    return plan_session(objects, {"probe00": probe}, acronyms())


def _violations(path: Path) -> list[str]:
    messages = inspect_nwbfile(nwbfile_path=path, config=load_config("dandi"))
    return [
        message.check_function_name
        for message in messages
        if message.importance.name in {"CRITICAL", "ERROR", "PYNWB_VALIDATION", "BEST_PRACTICE_VIOLATION"}
    ]


@pytest.fixture(scope="module")
def everything() -> FilePlan:
    return _everything()


def _write(plan: FilePlan, out: Path, facts: Facts = FACTS) -> Path:
    target = out / file_name(plan, facts)
    write_file(build_file(plan, facts, CREATED), target)
    return target


def test_every_object_is_read_back_and_the_inspector_finds_nothing(
    everything: FilePlan, tmp_path: Path
) -> None:
    path = _write(everything, tmp_path)
    assert path.name == "sub-SWC-054_ses-2024-05-01-001_desc-processed_behavior+ecephys.nwb"
    assert everything.left_out == ()
    with NWBHDF5IO(path, "r") as io:
        file = io.read()
        trials = file.trials.to_dataframe()
        assert trials["choice"].tolist() == [1, -1, 0, 1, 1]
        assert np.array_equal(trials["start_time"], TIMES[:5])
        units = file.units.to_dataframe()
        assert np.array_equal(units["spike_times"].iloc[4], TIMES[4::9])
        assert units["electrodes"].iloc[4]["location"].tolist() == ["VISp"]
        behavior = file.processing["behavior"]
        assert np.array_equal(behavior["wheel_position"].timestamps[:], TIMES)
        assert behavior["left_pose"].pose_estimation_series["paw"].data.shape == (300, 2)
        assert np.array_equal(file.events["licks"]["timestamp"][:], TIMES[:5])
        assert (file.subject.species, file.subject.age, file.experimenter) == (
            "Mus musculus",
            "P20W",
            ("Lovelace, Ada",),
        )
    assert _violations(path) == []


def test_without_histology_only_the_check_of_locations_remains(tmp_path: Path) -> None:
    plan = _everything(histology=False)
    assert plan.probes_without_histology == ("probe00",)
    assert _violations(_write(plan, tmp_path)) == ["check_electrodes_location_allen_ccf"]


def test_equal_inputs_give_equal_bytes_and_others_another_identifier(
    everything: FilePlan, tmp_path: Path
) -> None:
    first, second = (_write(everything, tmp_path / name) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    identifiers = {
        build_file(plan, facts, CREATED).identifier
        for plan, facts in (
            (everything, FACTS),
            (FilePlan(intervals=everything.intervals), FACTS),
            (everything, FACTS.model_copy(update={"number": 2})),
        )
    }
    assert len(identifiers) == 3


def test_a_session_without_time_zone_is_not_written(everything: FilePlan, tmp_path: Path) -> None:
    facts = FACTS.model_copy(update={"start_time": CREATED.replace(tzinfo=None)})
    with pytest.raises(NotWritable, match="no time zone"):
        _write(everything, tmp_path, facts)
    assert not list(tmp_path.rglob("*.nwb"))

"""What is made of ALF objects: rules for what is missing, unsorted, unequal or twice there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cingulum.atlas import acronyms
from cingulum.nwb.folder import plan_folder
from cingulum.nwb.plan import Column, Probe, fingerprint, regular_rate
from cingulum.nwb.session import plan_session
from cingulum.nwb.units import with_all_columns
from cingulum.nwb.writer import build_file
from tests.support.nwb_sessions import CREATED, FACTS

NAN = np.nan


def _plan(objects: dict[str, Any], **probes: dict[str, Any]) -> Any:
    return plan_session(objects, probes, acronyms())


def _column(table: Any, name: str) -> list[Any]:
    return next(column for column in table.columns if column.name == name).values.tolist()  # type: ignore[no-any-return]


def _reasons(plan: Any) -> dict[str, str]:
    return {entry.object: entry.reason for entry in plan.left_out}


def test_trials_are_sorted_and_those_without_times_left_out() -> None:
    intervals = np.array([[5.0, 6.0], [1.0, 2.0], [NAN, 3.0], [7.0, 7.0]])
    plan = _plan({"trials": {"intervals": intervals, "choice": np.array([1, -1, 0, 1]), "odd": np.zeros(3)}})
    (trials,) = plan.intervals
    assert _column(trials, "start_time") == [1.0, 5.0]
    assert _column(trials, "choice") == [-1, 1]
    assert plan.left_out == (
        ("trials.odd", "left out: 3 rows for 4 trials"),
        ("trials", "2 of 4 rows without a valid start and stop are left out"),
        ("trials", "rows were sorted by start"),
    )


def test_trials_that_all_start_together_are_no_trials() -> None:
    """nwbinspector calls such a file critical: the clock was not running."""
    plan = _plan({"trials": {"intervals": np.array([[1.0, 2.0], [1.0, 3.0]])}})
    assert (plan.intervals, plan.left_out) == ((), (("trials", "left out: all 2 rows start at 1 s"),))


def test_without_intervals_a_trial_lasts_from_its_first_to_its_last_event_or_from_the_trial_before() -> None:
    plan = _plan(
        {
            "trials": {
                "stimOn_times": np.array([NAN, 1.0, NAN, 5.0, NAN, NAN]),
                "feedback_times": np.array([0.5, 2.0, 4.0, NAN, NAN, 6.0]),
                "goCue_times": np.array([NAN, 1.5, 3.0, 5.5, NAN, NAN]),
            }
        }
    )
    (trials,) = plan.intervals
    assert _column(trials, "start_time") == [0.0, 1.0, 3.0, 5.0, 5.5]
    assert _column(trials, "stop_time") == [0.5, 2.0, 4.0, 5.5, 6.0]
    assert ("trials", "2 with one known event start at the end of the trial before") in plan.left_out
    assert _reasons(_plan({"trials": {"choice": np.ones(3)}}))["trials"].startswith("left out")


def test_both_tasks_of_a_session_have_their_trials(tmp_path: Path) -> None:
    session = tmp_path / "m1/2024-05-01/001"
    for n, place in enumerate(("alf/task_00", "alf/task_01")):
        (session / place).mkdir(parents=True)
        np.save(session / place / "_ibl_trials.intervals.npy", np.array([[n, n + 0.5]]))
        np.save(session / place / "_ibl_wheel.position.npy", np.arange(4.0))
        np.save(session / place / "_ibl_wheel.timestamps.npy", np.arange(4.0))
    plan = plan_folder(session)
    assert [table.name for table in plan.intervals] == ["trials", "trials_task_01"]
    assert [series.name for series in plan.series] == ["wheel_position", "wheel_position_task_01"]
    assert plan.series[1].description.endswith(", of alf/task_01")
    assert plan.left_out == ()


def test_collections_with_the_same_objects_are_all_written(tmp_path: Path) -> None:
    session = tmp_path / "m1/2024-05-01/001"
    for place in ("alf/task_00", "alf/task_01"):
        (session / place).mkdir(parents=True)
        np.save(session / place / "_ibl_leftCamera.times.npy", np.arange(3.0))
        np.save(session / place / "licks.times.npy", np.array([1.0]))
        signal = {"times": [0.0, 1.0], "name": ["GCaMP", "GCaMP"], "G0": [1.0, 2.0], "note": ["a", "b"]}
        pq.write_table(pa.table(signal), session / place / "photometry.signal.pqt")
        pose = {
            "nose_x": [0.0] * 3,
            "nose_y": [0.0] * 3,
            "nose_likelihood": [1.0] * 3,
            "paw_likelihood": [1.0] * 3,
        }
        pq.write_table(pa.table(pose), session / place / "_ibl_leftCamera.dlc.pqt")
    plan = plan_folder(session)
    names = ["left_camera_frames", "photometry_G0_GCaMP"]
    assert [series.name for series in plan.series] == [*names, *(f"{name}_task_01" for name in names)]
    assert [events.name for events in plan.events] == ["licks", "licks_task_01"]
    assert [pose.camera for pose in plan.poses] == ["left", "left_task_01"]
    assert np.isnan(plan.poses[1].keypoints[1].positions).all()
    reasons = _reasons(plan)
    assert reasons["alf/task_01/photometry.note"] == "left out: it is no number per row"
    assert reasons["leftCamera.dlc.paw_x"] == "NaN: the table has no such column of all frames"
    with_file = build_file(plan, FACTS, CREATED)
    assert {"left_pose", "left_task_01_pose"} <= with_file.processing["behavior"].data_interfaces.keys()


def test_the_newest_sorter_is_preferred(tmp_path: Path) -> None:
    session = tmp_path / "m1/2024-05-01/001"
    for n, sorter in enumerate(("iblsorter", "pykilosort", "another")):
        place = session / "alf/probe00" / sorter
        place.mkdir(parents=True)
        np.save(place / "spikes.times.npy", np.array([n + 1.0]))
        np.save(place / "spikes.clusters.npy", np.array([0]))
    plan = plan_folder(session)
    assert plan.units is not None
    assert plan.units.spike_times.values.tolist() == [1.0]
    assert _reasons(plan)["alf/probe00/pykilosort/spikes"].endswith("those of alf/probe00/iblsorter")


def test_names_that_nwb_reserves_are_renamed_and_short_columns_left_out() -> None:
    trials = {"intervals": np.array([[0.0, 1.0], [2.0, 3.0]]), "id": np.array([7, 8]), "a/b": np.ones(2)}
    trials |= {"colnames": np.array(["x", "y"]), "short": np.ones(1)}
    plan = _plan({"trials": trials, "passiveGabor": {"start": np.zeros(2), "contrast": np.zeros(2)}})
    reasons = _reasons(plan)
    assert reasons["trials.id"] == "renamed alf_id: NWB reserves the name"
    assert reasons["trials.short"] == "left out: 1 rows for 2 trials"
    assert reasons["passiveGabor"] == "left out: it has no columns start and stop of one length"
    table = build_file(plan, FACTS, CREATED).trials.to_dataframe()
    assert table[["alf_id", "a_b", "alf_colnames"]].values.tolist() == [[7, 1.0, "x"], [8, 1.0, "y"]]


def test_units_have_the_clusters_and_channels_of_their_own_sorting(tmp_path: Path) -> None:
    session = tmp_path / "m1/2024-05-01/001"
    old, new = session / "alf/probe00", session / "alf/probe00/pykilosort"
    new.mkdir(parents=True)
    np.save(old / "spikes.times.npy", np.array([9.0]))
    np.save(old / "spikes.clusters.npy", np.array([0]))
    np.save(old / "clusters.channels.npy", np.array([3, 3]))
    np.save(old / "channels.localCoordinates.npy", np.zeros((4, 2)))
    np.save(old / "channels.brainLocationIds_ccf_2017.npy", np.array([385, -385, 7, 999_999]))
    np.save(new / "spikes.times.npy", np.array([2.0, 1.0, NAN, -1.0]))
    np.save(new / "spikes.clusters.npy", np.zeros(4, int))
    plan = plan_folder(session)
    assert plan.units is not None
    assert plan.units.spike_times.values.tolist() == [1.0, 2.0]
    assert plan.probes[0].locations[:2] == ("VISp", "VISp")
    assert plan.probes[0].locations[3] == "unknown"
    reasons = _reasons(plan)
    assert reasons["alf/probe00/spikes"] == "left out: the file has those of alf/probe00/pykilosort"
    assert reasons["alf/probe00/clusters"] == "left out: spikes are in alf/probe00/pykilosort"
    assert reasons["probe00.spikes"] == (
        "2 spikes without a finite time, or before the session's start, are left out"
    )


def test_units_of_two_probes_are_one_table() -> None:
    def probe(first: int, **more: Any) -> dict[str, Any]:
        return {
            "spikes": {"times": np.array([3.0, 1.0, 2.0]) + first, "clusters": np.array([1, 0, 1])},
            "clusters": {"channels": np.array([0, 1]), "depths": np.array([20.0, 40.0]), **more},
            "channels": {"localCoordinates": np.arange(4.0).reshape(2, 2)},
        }

    plan = _plan({}, probe00=probe(0, amps=np.array([1e-6, 2e-6])), probe01=probe(10))
    assert plan.units.spike_times.values.tolist() == [1.0, 2.0, 3.0, 11.0, 12.0, 13.0]
    assert plan.units.spike_times.index.tolist() == [1, 3, 4, 6]
    assert plan.units.electrodes.tolist() == [0, 1, 2, 3]
    columns = {column.name: column for column in plan.units.columns}
    assert columns["distance_from_tip"].values.tolist() == [20.0, 40.0, 20.0, 40.0]
    assert columns["mean_amplitude"].values.tolist() == pytest.approx([1e-6, 2e-6, NAN, NAN], nan_ok=True)
    assert _reasons(plan)["probe01.units.mean_amplitude"] == "NaN: the probe has none"


def test_columns_that_lack_units_are_filled_and_listed() -> None:
    metrics = {"cluster_id": np.array([1]), "label": np.array([0.5]), "ks2_label": np.array(["good"])}
    spikes = {"times": np.array([1.0, 2.0]), "clusters": np.array([0, 1])}
    first = {"spikes": spikes, "clusters": {"metrics": metrics, "amps": np.array([3e-6])}}
    second = {"spikes": {**spikes, "amps": np.ones(2)}, "clusters": {"metrics": {"label": np.ones(2)}}}
    plan = _plan({}, probe00=first, probe01=second)
    columns = {column.name: column for column in plan.units.columns}
    assert columns["label"].values.tolist() == pytest.approx([NAN, 0.5, NAN, NAN], nan_ok=True)
    assert columns["ks2_label"].values.tolist() == ["", "good", "", ""]
    assert columns["mean_amplitude"].values.tolist() == pytest.approx([3e-6, NAN, NAN, NAN], nan_ok=True)
    assert columns["spike_amplitudes"].index.tolist() == [0, 0, 1, 2]
    reasons = _reasons(plan)
    assert reasons["probe00.clusters.amps"] == "1 rows: units beyond have NaN"
    assert reasons["probe00.clusters.metrics"] == "1 units are not in it: their metrics are NaN or empty"
    assert reasons["probe01.clusters.metrics"] == "left out: it has no column cluster_id"
    assert reasons["probe00.units.spike_amplitudes"] == "empty: the probe has none"
    assert len(build_file(plan, FACTS, CREATED).units["spike_amplitudes"][0]) == 0


def test_electrode_columns_that_not_every_probe_has_are_filled() -> None:
    messages: list[tuple[str, str]] = []
    both, x = (Column(name, "", np.zeros(1)) for name in ("rel_x", "x"))
    probes = with_all_columns(
        [Probe("a", "", (both, x), ("unknown",)), Probe("b", "", (both,), ("unknown",))],
        lambda name, reason: messages.append((name, reason)),
    )
    assert [[column.name for column in probe.electrodes] for probe in probes] == [["rel_x", "x"]] * 2
    assert np.isnan(probes[1].electrodes[1].values).all()
    assert messages == [("b.electrodes.x", "NaN: the probe has none")]


def test_licks_are_events_in_order() -> None:
    plan = _plan({"licks": {"times": np.array([3.0, NAN, 1.0])}})
    assert plan.events[0].times.tolist() == [1.0, 3.0]
    assert _reasons(_plan({"licks": {"times": np.array([NAN])}}))["licks"] == "left out: there is no lick"


def test_photometry_takes_turns_in_wavelength() -> None:
    signal = {
        "times": np.array([0.0, 0.1, 0.2, 0.35]),
        "name": np.array(["GCaMP", "Isosbestic", "GCaMP", "Isosbestic"]),
        "G0": np.array([1.0, 2.0, 3.0, 4.0]),
    }
    locations = {"ROI": np.array(["G0"]), "brain_region": np.array(["VTA"])}
    plan = _plan({"photometry": {"signal": signal}, "photometryROI": {"locations": locations}})
    values = {series.name: series.values.tolist() for series in plan.series}
    assert values == {"photometry_G0_GCaMP": [1.0, 3.0], "photometry_G0_Isosbestic": [2.0, 4.0]}
    assert "VTA" in plan.series[0].description


def test_series_of_another_length_than_their_times_are_left_out() -> None:
    camera = {"times": np.arange(4.0), "ROIMotionEnergy": np.arange(3.0)}
    plan = _plan({"leftCamera": camera})
    assert [series.name for series in plan.series] == ["left_camera_frames"]
    assert _reasons(plan)["left_motion_energy"] == "left out: it has 3 values, but 4 timestamps"


@pytest.mark.parametrize(
    ("times", "rate"),
    [([0.0, 0.1, 0.2, 0.3], 10.0), ([0.0, 0.1, 0.3], None), ([1.0, 1.0, 1.0], None), ([0.0, 1.0], None)],
)
def test_only_equal_steps_are_a_rate(times: list[float], rate: float | None) -> None:
    assert regular_rate(np.array(times)) == (None if rate is None else pytest.approx(rate))


def test_the_fingerprint_depends_on_every_value() -> None:
    trials = {"intervals": np.array([[0.0, 1.0], [2.0, 3.0]]), "choice": np.array([1, -1])}
    first = fingerprint(_plan({"trials": trials}))
    assert first == fingerprint(_plan({"trials": {key: value.copy() for key, value in trials.items()}}))
    assert first != fingerprint(_plan({"trials": trials | {"choice": np.array([1, 1])}}))
    assert first != fingerprint(_plan({"trials": trials, "licks": {"times": np.array([1.0])}}))

"""The shipped dataset types and formats: every file of theirs has exactly one type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from itertools import product
from typing import Any

import pytest

from cingulum.alf import DatasetTypes, match_extension

SHIPPED: dict[str, list[dict[str, Any]]] = json.loads(
    files("services.registry.models").joinpath("vocabularies.json").read_text()
)
TYPES = DatasetTypes((kind["name"], kind["filename_pattern"] or "") for kind in SHIPPED["dataset_types"])
EXTENSIONS = [form["file_extension"] for form in SHIPPED["formats"]]
# Both patterns are Alyx's: a file that fits the second one fits the first one too, there as here.
INSIDE_ANOTHER = {"widefield.raw.meta": "widefield.raw"}
# What a rig, and what follows it, writes into a session.
FILES_OF_SESSIONS = (
    "_iblrig_taskData.raw.jsonable", "_iblrig_taskSettings.raw.json", "_iblrig_encoderEvents.raw.ssv",
    "_iblrig_encoderPositions.raw.ssv", "_iblrig_encoderTrialInfo.raw.ssv", "_iblrig_ambientSensorData.raw.jsonable",
    "_iblrig_bodyCamera.timestamps.ssv", "_iblrig_bodyCamera.frame_counter.bin", "_iblrig_bodyCamera.GPIO.bin",
    "_iblrig_leftCamera.frameData.bin", "_iblrig_leftCamera.raw.mp4", "_iblrig_rightCamera.raw.avi",
    "_iblrig_micData.raw.wav", "_iblrig_micData.raw.flac", "_iblrig_taskCodeFiles.raw.zip",
    "_ibl_experiment.description.yaml", "_ibl_trials.table.pqt", "trials.table.pqt", "_ibl_trials.choice.npy",
    "_ibl_trials.goCueTrigger_times.npy", "_ibl_wheel.position.npy", "_ibl_wheel.timestamps.npy",
    "_ibl_wheelMoves.intervals.npy", "_ibl_leftCamera.times.npy", "_ibl_leftCamera.dlc.pqt",
    "leftCamera.ROIMotionEnergy.npy", "leftROIMotionEnergy.position.npy", "_iblqc_ephysTimeRmsAP.rms.npy",
    "photometry.signal.pqt", "photometryROI.locations.pqt", "_neurophotometrics_fpData.digitalInputs.pqt",
    "m1_g0_tcat.imec0.ap.bin", "m1_g0_t0.imec0.ap.meta", "continuous.dat", "structure.oebin",
    "_spikeglx_ephysData_g0_t0.imec0.ap.e9fabe60-2075-41af-ba5a-b126ca965f88.cbin", "spikes.times.npy",
    "ephysData_g0_t0.imec.ap.meta", "_spikeglx_ephysData_g0_t0.nidq.wiring.json",
)  # fmt: skip


def _names_of(kind: dict[str, Any]) -> Iterator[str]:
    """File names that a type's pattern is for: each `*` as a namespace, a timescale or extra parts."""
    pattern = (kind["filename_pattern"] or f"*{kind['name']}*").replace("[!_e]*", "m1_g0_t0.imec0")
    head, *rest = pattern.replace("[0-9]*", "0").split("*")
    for fillings in product(["_bpod", ".probe00", ""], repeat=len(rest)):
        parts = [filling if head or i else "" for i, filling in enumerate(fillings)]
        name = head + "".join(part + text for part, text in zip(parts, rest, strict=True))
        yield name + "npy" if name.endswith(".") else name if name.count(".") > 1 else f"{name}.npy"


@pytest.mark.parametrize("name", FILES_OF_SESSIONS)
def test_files_of_sessions_have_one_type_and_a_format(name: str) -> None:
    assert len(TYPES.matches(name)) == 1
    assert match_extension(name, EXTENSIONS) in EXTENSIONS


def test_each_example_has_the_type_that_it_is_an_example_of() -> None:
    for kind in SHIPPED["dataset_types"]:
        assert kind["examples"] or kind["name"] in INSIDE_ANOTHER
        for example in kind["examples"]:
            assert [match.name for match in TYPES.matches(example)] == [kind["name"]]
            assert match_extension(example, EXTENSIONS)


@pytest.mark.parametrize("kind", SHIPPED["dataset_types"], ids=lambda kind: str(kind["name"]))
def test_no_file_of_one_shipped_type_fits_another(kind: dict[str, Any]) -> None:
    own = {kind["name"], INSIDE_ANOTHER.get(kind["name"], kind["name"])}
    for name in _names_of(kind):
        assert {match.name for match in TYPES.matches(name)} <= own, name


def test_names_and_patterns_are_unique_ignoring_case() -> None:
    names = [kind["name"].casefold() for kind in SHIPPED["dataset_types"]]
    patterns = [
        kind["filename_pattern"].casefold() for kind in SHIPPED["dataset_types"] if kind["filename_pattern"]
    ]
    ids = [term["id"] for terms in SHIPPED.values() for term in terms]
    assert (len(set(names)), len(set(patterns)), len(set(ids))) == (len(names), len(patterns), len(ids))

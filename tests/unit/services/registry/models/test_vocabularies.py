"""The dataset types and formats that every registry starts with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cingulum.alf.dataset_types import DatasetTypes, match_extension
from cingulum.worker.pipelines.declaration import TaskDeclaration
from cingulum.worker.pipelines.standard import NWB_EXPORT, STANDARD, compress_task, nwb_raw_task

VOCABULARIES = json.loads(Path("services/registry/models/vocabularies.json").read_text())
TYPES = DatasetTypes((term["name"], term["filename_pattern"] or "") for term in VOCABULARIES["dataset_types"])
EXTENSIONS = [term["file_extension"] for term in VOCABULARIES["formats"]]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("_spikeglx_ephysData_g0_t0.imec0.ap.bin", "ephysData.raw.apBin"),
        ("_spikeglx_ephysData_g0_t0.imec0.ap.meta", "ephysData.raw.meta"),
        ("_spikeglx_ephysData_g0_t0.imec0.ap.cbin", "ephysData.raw.ap"),
        ("_spikeglx_ephysData_g0_t0.imec0.ap.ch", "ephysData.raw.ch"),
        ("_ibl_trials.table.pqt", "trials.table"),
        ("_cingulum_behaviour.summary.json", "behaviour.summary"),
        ("_cingulum_psychometric.fit.json", "psychometric.fit"),
        *(
            (output.name, output.name.removeprefix("_cingulum_").rpartition(".")[0])
            for task in (NWB_EXPORT, nwb_raw_task(), nwb_raw_task("link"))
            for output in task.outputs
        ),
    ],
)
def test_what_rigs_and_our_tasks_write_has_exactly_one_type_and_a_format(name: str, kind: str) -> None:
    assert TYPES.match(name).name == kind
    assert match_extension(name, EXTENSIONS)


@pytest.mark.parametrize("task", [*STANDARD, compress_task("small")], ids=lambda task: task.name)
def test_what_a_standard_task_reads_and_writes_can_be_registered(task: TaskDeclaration) -> None:
    for pattern in (*task.inputs, *task.outputs):
        name = pattern.name.replace("*", "_spikeglx_ephysData_g0_t0.imec0")
        assert TYPES.match(name).name, name
        assert match_extension(name, EXTENSIONS), name

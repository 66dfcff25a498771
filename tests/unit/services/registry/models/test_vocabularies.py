"""The dataset types and formats that every registry starts with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cingulum.alf.dataset_types import DatasetTypes, match_extension

VOCABULARIES = json.loads(Path("services/registry/models/vocabularies.json").read_text())


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
    ],
)
def test_what_rigs_and_our_tasks_write_has_exactly_one_type_and_a_format(name: str, kind: str) -> None:
    types = DatasetTypes(
        (term["name"], term["filename_pattern"] or "") for term in VOCABULARIES["dataset_types"]
    )
    assert types.match(name).name == kind
    assert match_extension(name, [term["file_extension"] for term in VOCABULARIES["formats"]])

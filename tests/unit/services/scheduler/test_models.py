"""Inputs and outputs of jobs as rows store them."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy.dialects.postgresql.base import PGDialect

from libs.common.schemas.job_files import JobInput, JobOutput
from services.scheduler.models import AttemptRow, JobRow

POSTGRESQL = PGDialect()  # type: ignore[no-untyped-call]
PATH, SHA256, ID = "alf/fit.json", "ab" * 32, UUID(int=9)
OUTPUT = JobOutput(relative_path=PATH, upload_id=ID, sha256=SHA256)
INPUT = JobInput(relative_path=PATH, dataset_id=ID, sha256=SHA256)


@pytest.mark.parametrize("table", [JobRow, AttemptRow])
def test_stored_outputs_have_the_keys_that_services_of_the_previous_version_read(
    table: type[JobRow | AttemptRow],
) -> None:
    stored = table.outputs.type.process_bind_param([OUTPUT], POSTGRESQL)
    assert stored == [{"name": PATH, "upload_id": str(ID), "sha256": SHA256}]


def test_stored_inputs_have_the_keys_that_services_of_the_previous_version_read() -> None:
    stored = JobRow.inputs.type.process_bind_param([INPUT], POSTGRESQL)
    assert stored == [{"path": PATH, "dataset_id": str(ID), "sha256": SHA256}]


@pytest.mark.parametrize("key", ["name", "relative_path"])
def test_outputs_are_read_by_either_key(key: str) -> None:
    stored = [{key: PATH, "upload_id": str(ID), "sha256": SHA256}]
    assert JobRow.outputs.type.process_result_value(stored, POSTGRESQL) == [OUTPUT]


@pytest.mark.parametrize("key", ["path", "relative_path"])
def test_inputs_are_read_by_either_key(key: str) -> None:
    stored = [{key: PATH, "dataset_id": str(ID), "sha256": SHA256}]
    assert JobRow.inputs.type.process_result_value(stored, POSTGRESQL) == [INPUT]


def test_a_job_shows_both_names_of_its_inputs() -> None:
    shown = INPUT.model_dump(mode="json")
    assert shown == {"relative_path": PATH, "path": PATH, "dataset_id": str(ID), "sha256": SHA256}

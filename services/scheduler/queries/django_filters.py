"""Alyx's free filter (`django=`) on tasks."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Relation, visible_to_all
from libs.common.published import LABS, REPOSITORIES, SESSIONS, table
from libs.common.schemas.states import JobState
from libs.common.visibility import Visibility
from libs.common.visible import is_session_row_visible, is_session_visible
from services.scheduler.models import JobRow

_session, _lab, _repository = table(SESSIONS), table(LABS), table(REPOSITORIES)
_STATUS = sa.case(
    {state.value: state.alyx_code for state in JobState}, value=JobRow.state, else_=JobState.HELD.alyx_code
)


def _is_session_visible(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return is_session_row_visible(visibility, row.id, row.lab_id)


def _is_job_visible(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return is_session_visible(visibility, row.session_id)


@cache
def _labs() -> FieldMap:
    fields = {"id": Field(_lab.c.id, "uuid"), "name": Field(_lab.c.name, "text")}
    return FieldMap("labs", _lab, fields, visible=visible_to_all)


@cache
def _repositories() -> FieldMap:
    fields = {
        "id": Field(_repository.c.id, "uuid"),
        "name": Field(_repository.c.name, "text"),
        "hostname": Field(_repository.c.hostname, "text"),
        "globus_is_personal": Field(_repository.c.globus_is_personal, "bool"),
    }
    return FieldMap("repositories", _repository, fields, visible=visible_to_all)


@cache
def _sessions() -> FieldMap:
    fields: dict[str, Field | JsonField | Relation] = {
        "id": Field(_session.c.id, "uuid"),
        "start_time": Field(_session.c.start_at, "datetime"),
        "number": Field(_session.c.number, "int"),
        "task_protocol": Field(_session.c.task_protocol, "text"),
        "type": Field(_session.c.type, "text"),
        "lab": Relation(_labs, on=_lab.c.id == _session.c.lab_id, key=_session.c.lab_id),
        "subject": Field(_session.c.subject, "text"),
    }
    return FieldMap("sessions", _session, fields, visible=_is_session_visible)


@cache
def tasks() -> FieldMap:
    """The fields by which tasks can be filtered."""
    fields: dict[str, Field | JsonField | Relation] = {
        "id": Field(JobRow.id, "uuid"),
        "name": Field(JobRow.task, "text"),
        "status": Field(_STATUS, "int"),
        "graph": Field(JobRow.graph, "text"),
        "level": Field(JobRow.level, "int"),
        "priority": Field(JobRow.priority, "int"),
        "cpu": Field(JobRow.cpu, "int"),
        "gpu": Field(JobRow.gpu, "int"),
        "ram": Field(JobRow.ram, "int"),
        "io_charge": Field(JobRow.io_charge, "int"),
        "time_out_secs": Field(JobRow.time_out_secs, "int"),
        "time_elapsed_secs": Field(JobRow.time_elapsed_secs, "float"),
        "version": Field(JobRow.version, "text"),
        "log": Field(JobRow.log, "text"),
        "executable": Field(JobRow.executable, "text"),
        "datetime": Field(JobRow.created_at, "datetime"),
        "session": Relation(_sessions, on=_session.c.id == JobRow.session_id, key=JobRow.session_id),
        "data_repository": Relation(
            _repositories, on=_repository.c.id == JobRow.data_repository_id, key=JobRow.data_repository_id
        ),
    }
    return FieldMap("tasks", JobRow.__table__, fields, visible=_is_job_visible)

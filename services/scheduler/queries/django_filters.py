"""Alyx's free filter (`django=`) on tasks."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Kind, Relation, visible_to_all
from libs.common.filters.shared_maps import nickname_map
from libs.common.published import (
    DATASETS,
    LAB_REPOSITORIES,
    LABS,
    PROJECTS,
    REPOSITORIES,
    SESSION_PROJECTS,
    SESSIONS,
    SUBJECTS,
    table,
)
from libs.common.schemas.states import JobState
from libs.common.visibility import Visibility
from libs.common.visible import (
    is_dataset_row_visible,
    is_lab_row_visible,
    is_project_row_visible,
    is_session_row_visible,
    is_subject_row_visible,
)
from services.scheduler.models import JobRow
from services.scheduler.queries.visible import is_job_row_visible

Fields = dict[str, Field | JsonField | Relation]
_session, _lab, _repository, _subject, _project, _dataset = (
    table(view) for view in (SESSIONS, LABS, REPOSITORIES, SUBJECTS, PROJECTS, DATASETS)
)
_in_project, _in_lab = table(SESSION_PROJECTS), table(LAB_REPOSITORIES)
_named_subject = table(SUBJECTS).alias("named_subject")
_job = cast(sa.Table, JobRow.__table__)
_other = _job.alias("related_job")
_CODES = {state.value: state.alyx_code for state in JobState}
_COLUMNS: dict[Kind, tuple[str, ...]] = {
    "text": ("graph", "version", "executable", "arguments"),
    "int": ("level", "priority", "cpu", "gpu", "ram", "io_charge", "time_out_secs"),
    "float": ("time_elapsed_secs",),
}


def shown_log(job: Any) -> sa.ColumnElement[str | None]:
    """The log of a job; the reason of its state where no log was ever written, null where it was cleared."""
    return sa.func.nullif(sa.func.coalesce(job.log, job.reason), "")


def _is_session_visible(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return is_session_row_visible(visibility, row.id, row.lab_id)


_LABS: FieldMap = FieldMap("labs", _lab, {
    "id": Field(_lab.c.id, "uuid"),
    "name": Field(_lab.c.name, "text"),
    "timezone": Field(_lab.c.timezone, "text"),
    "repositories": Relation(lambda: _REPOSITORIES, on=sa.and_(
        _in_lab.c.lab_id == _lab.c.id, _in_lab.c.repository_id == _repository.c.id,
    )),
}, visible=lambda visibility, row: is_lab_row_visible(visibility, row.id))  # fmt: skip
_REPOSITORIES: FieldMap = FieldMap("repositories", _repository, {
    "id": Field(_repository.c.id, "uuid"),
    **{
        name: Field(_repository.c[name], "text")
        for name in ("name", "hostname", "data_url", "globus_path", "store")
    },
    "globus_is_personal": Field(_repository.c.globus_is_personal, "bool"),
    "globus_endpoint_id": Field(_repository.c.globus_endpoint_id, "uuid"),
    "lab": Relation(lambda: _LABS, on=sa.and_(
        _in_lab.c.repository_id == _repository.c.id, _in_lab.c.lab_id == _lab.c.id,
    )),
}, visible=visible_to_all)  # fmt: skip
_PROJECTS = FieldMap("projects", _project, {
    "id": Field(_project.c.id, "uuid"),
    "name": Field(_project.c.name, "text"),
}, visible=lambda visibility, row: is_project_row_visible(visibility, row.id, row.is_private))  # fmt: skip
_SUBJECTS = FieldMap("subjects", _subject, {
    "id": Field(_subject.c.id, "uuid"),
    "nickname": Field(_subject.c.nickname, "text"),
    "lab": Relation(lambda: _LABS, on=_lab.c.id == _subject.c.lab_id, key=_subject.c.lab_id),
}, visible=lambda visibility, row: is_subject_row_visible(visibility, row.id, row.lab_id))  # fmt: skip
_NAMED_SUBJECTS = nickname_map(_named_subject)
_DATASETS = FieldMap("datasets", _dataset, {
    "id": Field(_dataset.c.id, "uuid"),
    **{name: Field(_dataset.c[name], "text") for name in ("name", "revision")},
    "collection": Field(_dataset.c.collection, "text", empty_is_null=True),
    "qc": Field(_dataset.c.qc, "int"),
    "default_dataset": Field(_dataset.c.default_revision, "bool"),
}, visible=lambda visibility, row: is_dataset_row_visible(visibility, row, row.public))  # fmt: skip
_SESSIONS: FieldMap = FieldMap("sessions", _session, {
    "id": Field(_session.c.id, "uuid"),
    # on the lab's own clock, as answers show it: its day is that of the folder
    "start_time": Field(sa.cast(_session.c.start_time, sa.TIMESTAMP(timezone=False)), "datetime"),
    "number": Field(_session.c.number, "int"),
    "task_protocol": Field(_session.c.task_protocol, "text"),
    "type": Field(_session.c.type, "text"),
    "lab": Relation(lambda: _LABS, on=_lab.c.id == _session.c.lab_id, key=_session.c.lab_id),
    "subject": Relation(
        lambda: _SUBJECTS,
        on=_subject.c.id == _session.c.subject_id,
        key=_session.c.subject_id,
        shown=Relation(lambda: _NAMED_SUBJECTS, on=_named_subject.c.id == _session.c.subject_id),
    ),
    "projects": Relation(lambda: _PROJECTS, on=sa.and_(
        _in_project.c.session_id == _session.c.id, _in_project.c.project_id == _project.c.id,
    )),
    "data_dataset_session_related": Relation(lambda: _DATASETS, on=_dataset.c.session_id == _session.c.id),
    "tasks": Relation(lambda: TASKS, on=_job.c.session_id == _session.c.id),
}, visible=_is_session_visible)  # fmt: skip


def _fields(job: Any) -> Fields:
    return {
        "id": Field(job.id, "uuid"),
        "name": Field(job.task, "text"),
        "status": Field(sa.case(_CODES, value=job.state, else_=JobState.HELD.alyx_code), "int"),
        "log": Field(shown_log(job), "text"),
        "datetime": Field(job.updated_at, "datetime"),
        **{name: Field(job[name], kind) for kind, names in _COLUMNS.items() for name in names},
        "session": Relation(lambda: _SESSIONS, on=_session.c.id == job.session_id, key=job.session_id),
        "data_repository": Relation(
            lambda: _REPOSITORIES, on=_repository.c.id == job.data_repository_id, key=job.data_repository_id
        ),
    }


# Pairs of a job and a parent, which the planner can hash: an array is searched row by row.
_parent = sa.select(_job.c.id.label("job_id"), sa.func.unnest(_job.c.parents).label("parent_id")).subquery(
    "parent_of_job"
)
_RELATED_TASKS = FieldMap("related tasks", _other, _fields(_other.c), visible=is_job_row_visible)
TASKS: FieldMap = FieldMap("tasks", _job, _fields(_job.c) | {
    "parents": Relation(
        lambda: _RELATED_TASKS, on=sa.and_(_parent.c.job_id == _job.c.id, _parent.c.parent_id == _other.c.id)
    ),
    "children": Relation(
        lambda: _RELATED_TASKS, on=sa.and_(_parent.c.parent_id == _job.c.id, _parent.c.job_id == _other.c.id)
    ),
}, visible=is_job_row_visible)  # fmt: skip

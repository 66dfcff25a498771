"""Tasks: the same rows as jobs, in Alyx's contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from libs.common.db import ReadSession, WriteSession
from libs.common.db.json_pages import (
    fetch_json_page,
    json_time,
    page_of_sorted,
    per_caller,
    request_value,
)
from libs.common.db.prepared_writes import execute_prepared
from libs.common.db.tables import infrastructure
from libs.common.neighbour_maps.tasks import shown_log
from libs.common.notes import count_notes_on
from libs.common.permissions import Target
from libs.common.published import REPOSITORIES, SESSION_MERGES, table
from libs.common.schemas.pages import JsonPage, PageRequest
from libs.common.schemas.states import JobState
from libs.common.schemas.tasks import Task
from libs.common.visibility import Visibility
from services.scheduler.models import JobRow
from services.scheduler.queries import visible
from services.scheduler.queries.jobs import SESSION, in_order_of_work
from services.scheduler.queries.list_filters import TaskFilters
from services.scheduler.queries.locked_jobs import scope_of_job, target_in_scope

REPOSITORY = table(REPOSITORIES)
UPDATES: Final = 400  # sets of fields of one caller, whose statement is kept
_NEW: Final = "new_"


def _columns(repository: sa.ColumnElement[Any] = REPOSITORY.c.name) -> tuple[sa.ColumnElement[Any], ...]:
    """The fields of `Task`, as Alyx shows them."""
    status = sa.case(
        {JobState.PUBLISHING: JobState.PUBLISHING.alyx_name}, value=JobRow.state, else_=JobRow.state
    )
    own_arguments = sa.cast(sa.func.nullif(JobRow.arguments, ""), JSON)
    arguments = sa.case(
        (JobRow.probe != "", sa.func.json_build_object("pname", JobRow.probe)), else_=own_arguments
    )
    same = ("priority", "io_charge", "level", "gpu", "cpu", "ram", "time_out_secs", "time_elapsed_secs")
    columns = JobRow.__table__.c
    return (
        columns.id,
        columns.parents,
        columns.session_id.label("session"),
        repository.label("data_repository"),
        status.label("status"),
        columns.task.label("name"),
        *(columns[name] for name in same),
        columns.executable,
        columns.graph,
        shown_log(JobRow).label("log"),
        columns.version,
        json_time(JobRow.updated_at).label("datetime"),
        arguments.label("arguments"),
    )


def _select(visibility: Visibility, *columns: Any) -> sa.Select[Any]:
    """Columns of the tasks that the caller can see, of their sessions and of their repositories."""
    return (
        sa.select(*columns)
        .join(SESSION, SESSION.c.id == JobRow.session_id, isouter=True)
        .join(REPOSITORY, REPOSITORY.c.id == JobRow.data_repository_id, isouter=True)
        .where(visible.is_job_visible(visibility))
    )


@per_caller
def _select_sortable(visibility: Visibility) -> sa.Select[Any]:
    return _select(visibility, JobRow.id, JobRow.level, JobRow.priority, SESSION.c.start_at)


def _in_order(columns: Any) -> tuple[sa.ColumnElement[Any], ...]:
    return in_order_of_work(columns, columns.start_at)


def select_rows(part: sa.Subquery) -> sa.Select[Any]:
    """Tasks whose ids are a column of `part`: the columns are the fields of `Task`."""
    return (
        sa.select(*_columns())
        .select_from(part)
        .join(JobRow, JobRow.id == part.c.id)
        .join(REPOSITORY, REPOSITORY.c.id == JobRow.data_repository_id, isouter=True)
    )


_PAGE: Final = page_of_sorted(_in_order, select_rows)


async def list_tasks(
    session: ReadSession, filters: TaskFilters, visibility: Visibility, paging: PageRequest, *, derived: bool
) -> JsonPage:
    """A page of tasks, by level, priority and latest session, and how many there are; `derived`: also such jobs."""
    conditions = filters.conditions(visibility)
    if not derived:
        conditions = [*conditions, JobRow.is_derived.is_(False)]
    return await fetch_json_page(session, _select_sortable(visibility), conditions, paging, shape=_PAGE)


async def find_task(session: ReadSession, visibility: Visibility, task_id: UUID) -> Task | None:
    """One task."""
    rows = await session.execute(_select_one(visibility), {"task_id": task_id})
    row = rows.mappings().first()
    return Task.model_validate(dict(row)) if row else None


@per_caller
def _select_one(visibility: Visibility) -> sa.Select[Any]:
    return _select(visibility, *_columns()).where(JobRow.id == request_value("task_id", sa.Uuid()))


async def update_task(
    session: WriteSession, visibility: Visibility, task_id: UUID, fields: Mapping[str, Any]
) -> tuple[Task, Target | None] | None:
    """Set columns of a locked task that its state does not depend on, if the caller can see it now.

    The task afterwards, and the target of its session, which the caller's rights have to be checked for.
    """
    values = {_NEW + name: value for name, value in fields.items()}
    statement = _update(visibility, visibility.caller, tuple(sorted(fields)))
    rows = await execute_prepared(session, statement, job_id=task_id, **values)
    if not rows:
        return None
    task = {name: value for name, value in rows[0].items() if name in Task.model_fields}
    return Task.model_validate(task), target_in_scope(rows[0])


@lru_cache(maxsize=UPDATES)
def _update(visibility: Visibility, _caller: object, names: tuple[str, ...]) -> sa.Update:
    columns, scope = JobRow.__table__.c, scope_of_job(visibility)
    name = sa.select(REPOSITORY.c.name).where(REPOSITORY.c.id == columns.data_repository_id)
    return (
        sa.update(JobRow)
        .values({each: request_value(_NEW + each, columns[each].type) for each in names})
        .values(updated_at=sa.func.clock_timestamp())
        .where(columns.id == scope.c.job_id)
        .returning(*_columns(name.scalar_subquery()), *scope.c)
    )


async def fetch_known_ids(
    session: ReadSession, visibility: Visibility, task_ids: Collection[UUID]
) -> set[UUID]:
    """Those of some ids that are tasks which the caller can see."""
    if not task_ids:
        return set()
    rows = await session.execute(_select(visibility, JobRow.id).where(JobRow.id.in_(task_ids)))
    return {row.id for row in rows}


async def exists_equal_task(
    session: ReadSession,
    *,
    session_id: UUID | None,
    name: str,
    arguments: str,
    owner_id: UUID | None,
    except_id: UUID,
) -> bool:
    """Whether there is another task of the same name, session, arguments and owner."""
    equal = sa.exists().where(
        JobRow.id != except_id,
        JobRow.session_id.is_not_distinct_from(session_id),
        JobRow.task == name,
        JobRow.probe == "",
        JobRow.arguments == arguments,
        JobRow.owner_id.is_not_distinct_from(owner_id),
    )
    return bool(await session.scalar(sa.select(equal)))


async def fetch_slots_of_tasks(
    session: ReadSession, session_ids: Sequence[UUID]
) -> dict[UUID, set[tuple[str, str]]]:
    """Task and probe of the slots of sessions that get no derived job, by session.

    Tasks created through `/tasks` occupy them, or jobs that have not moved yet: of sessions that were merged into
    these, and those that an undo brings back.
    """
    rows = await session.execute(_select_slots_of_tasks(), {"session_ids": session_ids})
    slots: dict[UUID, set[tuple[str, str]]] = {}
    for row in rows:
        slots.setdefault(row.session_id, set()).add((row.task, row.probe))
    return slots


@cache
def _select_slots_of_tasks() -> sa.CompoundSelect[UUID | None, str, str]:
    is_named = sa.any_(request_value("session_ids", sa.ARRAY(sa.Uuid)))
    created = sa.select(JobRow.session_id, JobRow.task, JobRow.probe).where(
        JobRow.session_id == is_named,
        JobRow.is_derived.is_(False),
        JobRow.arguments == "",
        JobRow.owner_id.is_(None),
    )
    merged, stored = table(SESSION_MERGES), infrastructure(JobRow.metadata).moved_rows
    is_stored = sa.exists().where(stored.c.merge_id == merged.c.merge_id, stored.c.row_id == JobRow.id)
    coming = (
        sa.select(merged.c.into_id, JobRow.task, JobRow.probe)
        .join(JobRow, JobRow.session_id == merged.c.session_id)
        .where(merged.c.into_id == is_named, JobRow.is_derived, ~is_stored)
    )
    is_undone = ~sa.exists().where(merged.c.merge_id == stored.c.merge_id)
    coming_back = (
        sa.select(stored.c.former_id, JobRow.task, JobRow.probe)
        .join(JobRow, JobRow.id == stored.c.row_id)
        .where(
            stored.c.former_id == is_named,
            JobRow.session_id != stored.c.former_id,
            JobRow.is_derived,
            is_undone,
        )
    )
    return created.union_all(coming, coming_back)


async def count_notes(session: ReadSession, task_id: UUID) -> int:
    """The notes on a task, and on these, which are hidden without it."""
    ids = sa.select(sa.literal(task_id, sa.Uuid()).label("id"))
    return await session.scalar(count_notes_on(ids)) or 0

"""Tasks: the same rows as jobs, in Alyx's contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession
from libs.common.db.pages import fetch_page
from libs.common.published import REPOSITORIES, table
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.states import JobState
from libs.common.schemas.tasks import Task
from libs.common.schemas.times import naive_utc
from libs.common.visibility import Visibility
from services.scheduler.models import JobRow
from services.scheduler.queries.jobs import select_jobs
from services.scheduler.queries.list_filters import TaskFilters

REPOSITORY = table(REPOSITORIES)


def _tasks(visibility: Visibility) -> sa.Select[Any]:
    return (
        select_jobs(visibility)
        .add_columns(REPOSITORY.c.name.label("data_repository"))
        .join(REPOSITORY, REPOSITORY.c.id == JobRow.data_repository_id, isouter=True)
    )


async def list_tasks(
    session: ReadSession, filters: TaskFilters, visibility: Visibility, paging: PageRequest
) -> tuple[int, list[Task]]:
    """A page of tasks, by level, priority and latest session, and how many there are."""
    statement = _tasks(visibility).where(*filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [_task(row) for row in rows]


async def find_task(session: ReadSession, visibility: Visibility, task_id: UUID) -> Task | None:
    """One task."""
    rows = await session.execute(_tasks(visibility).where(JobRow.id == task_id).limit(1))
    row = rows.mappings().first()
    return _task(row) if row else None


def _task(row: Mapping[str, Any]) -> Task:
    arguments = json.loads(row["arguments"]) if row["arguments"] else None
    if row["probe"]:
        arguments = {"pname": row["probe"]}
    return Task.model_validate(
        {
            **row,
            "session": row["session_id"],
            "status": JobState(row["state"]).alyx_name,
            "name": row["task"],
            "log": row["log"] or row["reason"] or None,
            "datetime": naive_utc(row["created_at"]),
            "arguments": arguments,
        }
    )


async def exists_equal_task(
    session: ReadSession, *, session_id: UUID | None, name: str, arguments: str, owner_id: UUID | None
) -> bool:
    """Whether there is a task of the same name, session, arguments and owner."""
    equal = sa.exists().where(
        JobRow.session_id.is_not_distinct_from(session_id),
        JobRow.task == name,
        JobRow.probe == "",
        JobRow.arguments == arguments,
        JobRow.owner_id.is_not_distinct_from(owner_id),
    )
    return bool(await session.scalar(sa.select(equal)))


async def fetch_slots_of_tasks(session: ReadSession, session_id: UUID) -> set[tuple[str, str]]:
    """Task and probe of the slots of a session that a task created through `/tasks` occupies."""
    statement = sa.select(JobRow.task, JobRow.probe).where(
        JobRow.session_id == session_id,
        JobRow.is_derived.is_(False),
        JobRow.arguments == "",
        JobRow.owner_id.is_(None),
    )
    return {(row.task, row.probe) for row in await session.execute(statement)}


def arguments_text(arguments: Mapping[str, Any] | None) -> str:
    """A legacy task's arguments as the unique key compares them.

    >>> arguments_text({"b": 1, "a": 2}), arguments_text(None)
    ('{"a": 2, "b": 1}', '')
    """
    return json.dumps(arguments, sort_keys=True) if arguments else ""

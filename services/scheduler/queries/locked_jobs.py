"""A job that a caller wants to change: whether it is visible, what it belongs to, and its locks, in one statement.

That statement judges what it saw before it waited for the locks: the next one has to judge the locked job again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import WriteSession
from libs.common.db.json_pages import per_caller, request_value
from libs.common.db.prepared_writes import execute_prepared
from libs.common.permissions import Target
from libs.common.published import SESSIONS, SUBJECTS, table
from libs.common.targets import session_target, session_target_columns
from libs.common.visibility import Visibility
from services.scheduler.models import JobRow
from services.scheduler.queries import visible
from services.scheduler.queries.jobs import check_same_session, lock_of_graph

_JOB: Final = JobRow.__table__.c
_COLUMNS: Final = (
    "id",
    "session_id",
    "owner_id",
    "task",
    "arguments",
    "is_derived",
    "state",
    "parents",
    "level",
    "priority",
    "data_repository_id",
)


@dataclass(frozen=True)
class LockedJob:
    """What of a locked job decides about a change. `target` is its session's; None for a job without a session."""

    id: UUID
    session_id: UUID | None
    owner_id: UUID | None
    task: str
    arguments: str
    is_derived: bool
    state: str
    parents: list[UUID]
    level: int
    priority: int
    data_repository_id: UUID | None
    target: Target | None


async def find_and_lock_visible_job(
    session: WriteSession, visibility: Visibility, job_id: UUID
) -> LockedJob | None:
    """A job that the caller can see, locked after the graph of its session.

    Raises Unavailable if it has moved to another session, whose graph has to be locked before the job.
    """
    rows = await execute_prepared(session, _select_to_lock(visibility), job_id=job_id)
    if not rows:
        return None
    row = rows[0]
    check_same_session(row["session_id"], row["session_before"])
    return LockedJob(**{name: row[name] for name in _COLUMNS}, target=target_in_scope(row))


async def find_and_lock_visible_row(
    session: WriteSession, visibility: Visibility, job_id: UUID
) -> tuple[JobRow, Target | None] | None:
    """The row of a job that this transaction has locked already, and its target, if the caller can see it now."""
    row = (await session.execute(_select_locked(visibility), {"job_id": job_id})).mappings().one_or_none()
    return None if row is None else (row["JobRow"], target_in_scope(row))


def target_in_scope(row: Mapping[str, Any]) -> Target | None:
    """The target of the session of a job, from a row with the columns of its scope; None without a session."""
    if row["session_before"] is None:
        return None
    return Target() if row["subject_id"] is None else session_target(row)


@per_caller
def _select_to_lock(visibility: Visibility) -> sa.Select[Any]:
    """PostgreSQL locks the graph before it locks the row, and of a locked row it returns the latest version."""
    scope = scope_of_job(visibility)
    graph = sa.select(lock_of_graph(scope.c.session_before)).where(scope.c.session_before.is_not(None))
    is_locked = sa.func.coalesce(sa.cast(graph.scalar_subquery(), sa.Text), "") == ""
    return (
        sa.select(*(_JOB[name] for name in _COLUMNS), *scope.c)
        .select_from(JobRow.__table__)
        .join(scope, scope.c.job_id == _JOB.id)
        .where(is_locked)
        .with_for_update(of=JobRow.__table__)
    )


@per_caller
def _select_locked(visibility: Visibility) -> sa.Select[Any]:
    scope = scope_of_job(visibility)
    return (
        sa.select(JobRow, *scope.c)
        .join(scope, scope.c.job_id == JobRow.id)
        .with_for_update(of=JobRow)
        .execution_options(populate_existing=True)
    )


def scope_of_job(visibility: Visibility) -> sa.CTE:
    """What the job of the request's `job_id` belongs to, if the caller can see it; for `target_in_scope`."""
    sessions, subjects = table(SESSIONS), table(SUBJECTS)
    return (
        sa.select(
            _JOB.id.label("job_id"),
            _JOB.session_id.label("session_before"),
            subjects.c.id.label("subject_id"),
            *session_target_columns(),
        )
        .select_from(JobRow.__table__)
        .join(sessions, sessions.c.id == _JOB.session_id, isouter=True)
        .join(subjects, subjects.c.id == sessions.c.subject_id, isouter=True)
        .where(visible.is_job_visible(visibility), _JOB.id == request_value("job_id", sa.Uuid()))
        .cte("scope")
    )

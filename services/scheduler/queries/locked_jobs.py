"""A job that a caller wants to change: whether it is visible, what it belongs to, and its locks, in one statement."""

from __future__ import annotations

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
    target = None
    if row["session_id"] is not None:
        target = Target() if row["subject_id"] is None else session_target(row)
    return LockedJob(**{name: row[name] for name in _COLUMNS}, target=target)


@per_caller
def _select_to_lock(visibility: Visibility) -> sa.Select[Any]:
    """PostgreSQL locks the graph before it locks the row, and of a locked row it returns the latest version."""
    sessions, subjects = table(SESSIONS), table(SUBJECTS)
    job_id = request_value("job_id", sa.Uuid())
    scope = (
        sa.select(
            _JOB.session_id.label("session_before"),
            subjects.c.id.label("subject_id"),
            *session_target_columns(),
        )
        .select_from(JobRow.__table__)
        .join(sessions, sessions.c.id == _JOB.session_id, isouter=True)
        .join(subjects, subjects.c.id == sessions.c.subject_id, isouter=True)
        .where(visible.is_job_visible(visibility), _JOB.id == job_id)
        .cte("scope")
    )
    graph = sa.select(lock_of_graph(scope.c.session_before)).where(scope.c.session_before.is_not(None))
    is_locked = sa.func.coalesce(sa.cast(graph.scalar_subquery(), sa.Text), "") == ""
    return (
        sa.select(*(_JOB[name] for name in _COLUMNS), *scope.c)
        .select_from(JobRow.__table__)
        .join(scope, sa.true())
        .where(_JOB.id == job_id, is_locked)
        .with_for_update(of=JobRow.__table__)
    )

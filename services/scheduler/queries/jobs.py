"""Jobs: lists and details, rows locked for a change, and the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.json_pages import per_caller, request_value
from libs.common.db.pages import fetch_page
from libs.common.problem import Unavailable
from libs.common.published import SESSIONS, table
from libs.common.schemas.jobs import Job
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.states import JobState
from libs.common.visibility import Visibility
from services.scheduler.domain.facts import JobChange, JobValue
from services.scheduler.domain.steering import InputLocations, why
from services.scheduler.models import JobRow
from services.scheduler.queries import visible
from services.scheduler.queries.attempts import upsert_attempts
from services.scheduler.queries.list_filters import JobFilters
from services.scheduler.queries.ready import delete_ready_rows, location_columns

SESSION = table(SESSIONS)
MOST_PER_SWEEP = 100  # jobs of one transaction


def select_jobs(visibility: Visibility) -> sa.Select[Any]:
    """Jobs with their session, in Alyx's order."""
    return (
        sa.select(
            *JobRow.__table__.columns,
            SESSION.c.subject,
            SESSION.c.lab,
            SESSION.c.date,
            SESSION.c.number,
            SESSION.c.folder.label("session_path"),
            *location_columns(),
            sa.func.statement_timestamp().label("now"),
        )
        .join(SESSION, SESSION.c.id == JobRow.session_id, isouter=True)
        .where(visible.is_job_visible(visibility))
        .order_by(*in_order_of_work(JobRow.__table__.c, SESSION.c.start_at))
    )


def in_order_of_work(job: Any, start_at: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], ...]:
    """Alyx's order of tasks: level, priority, latest session; `job` has the columns of a job."""
    return job.level, job.priority.desc(), start_at.desc().nulls_last(), job.id


async def list_jobs(
    session: ReadSession, filters: JobFilters, visibility: Visibility, paging: PageRequest
) -> tuple[int, list[Job]]:
    """A page of jobs, by level, priority and latest session, and how many there are."""
    statement = select_jobs(visibility).where(*filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [_job(row) for row in rows]


async def find_job(session: ReadSession, visibility: Visibility, job_id: UUID) -> Job | None:
    """One job."""
    rows = await session.execute(select_jobs(visibility).where(JobRow.id == job_id).limit(1))
    row = rows.mappings().first()
    return _job(row) if row else None


@per_caller
def _select_visible(visibility: Visibility) -> sa.Select[UUID]:
    return (
        sa.select(JobRow.id)
        .join(SESSION, SESSION.c.id == JobRow.session_id, isouter=True)
        .where(visible.is_job_visible(visibility), JobRow.id == request_value("job_id", sa.Uuid()))
    )


async def exists_job(session: ReadSession, visibility: Visibility, job_id: UUID) -> bool:
    """Whether there is a job that the caller can see."""
    return (await session.execute(_select_visible(visibility), {"job_id": job_id})).first() is not None


def _job(row: Mapping[str, Any]) -> Job:
    value = JobValue(
        id=row["id"],
        state=JobState(row["state"]),
        key=row["key"],
        not_before=row["not_before"],
        attempts=row["attempts"],
        reason=row["reason"],
        is_legacy=not row["is_derived"],
    )
    locations = InputLocations(
        only_at=tuple(sorted(row["outside_names"] or ())),
        are_coming=row["are_coming"],
        rests_until=row["rests_until"],
    )
    return Job.model_validate(
        {
            **{name: row[name] for name in Job.model_fields if name in row},
            "why": why(value, row["now"], locations),
        }
    )


def job_value(row: JobRow | sa.Row[Any]) -> JobValue:
    """A row as the rules read it."""
    return JobValue(
        id=row.id,
        state=JobState(row.state),
        key=row.key,
        token=row.token,
        worker=row.worker,
        deadline=row.deadline,
        not_before=row.not_before,
        attempts=row.attempts,
        reason=row.reason,
        by_person=row.by_person,
        outputs=tuple(row.outputs),
        finishing=JobState(row.finishing) if row.finishing else None,
        is_legacy=row.is_derived is False,
        runner=row.runner,
    )


async def find_and_lock_job(session: WriteSession, job_id: UUID) -> JobRow | None:
    """A job's row, locked; the graph of its session is locked before it, so that the caller may reconcile next.

    Raises Unavailable if it moves to another session at this moment, whose graph has to be locked before the job.
    """
    session_id = await session.scalar(sa.select(JobRow.session_id).where(JobRow.id == job_id))
    values = {"job_id": job_id, "session_id": session_id}
    row = (
        await session.execute(_select_to_lock(has_graph=session_id is not None), values)
    ).scalar_one_or_none()
    if row is not None:
        check_same_session(row.session_id, session_id)
    return row


def check_same_session(session_id: UUID | None, before: UUID | None) -> None:
    """Raises Unavailable for a job that has moved since the graph of its session was locked."""
    if session_id != before:
        raise Unavailable("The job moved to another session at this moment: try again.")


async def lock_job(session: WriteSession, job_id: UUID) -> JobRow:
    """The row of a job that this transaction has locked already, after the graph of its session."""
    return await session.get_one(JobRow, job_id, populate_existing=True, with_for_update=True)


@cache
def _select_to_lock(*, has_graph: bool) -> sa.Select[JobRow]:
    """PostgreSQL locks the graph before it looks for the row, and of a locked row it returns the latest version."""
    statement = sa.select(JobRow).where(JobRow.id == request_value("job_id", sa.Uuid())).with_for_update()
    if has_graph:
        graph = sa.select(lock_of_graph(request_value("session_id", sa.Uuid()))).scalar_subquery()
        statement = statement.where(sa.cast(graph, sa.Text).is_not(None))
    return statement.execution_options(populate_existing=True)


def lock_of_graph(session_id: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The lock of a session's job graph, which is always taken before those of its jobs."""
    key = sa.literal_column("'graph:'", sa.Text) + sa.cast(session_id, sa.Text)
    return sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))


async def find_session_id_of_job(session: ReadSession, job_id: UUID) -> UUID | None:
    """The session of a job that exists; None if it is of no session."""
    session_id: UUID | None = await session.scalar(sa.select(JobRow.session_id).where(JobRow.id == job_id))
    return session_id


async def lock_graph(session: WriteSession, session_id: UUID) -> None:
    """Lock the job graph of a session: one transaction reconciles it at a time."""
    await session.execute(sa.select(lock_of_graph(sa.literal(session_id, sa.Uuid()))))


async def lock_derived_jobs(session: WriteSession, session_id: UUID) -> list[JobRow]:
    """The derived jobs of a session, locked."""
    statement = (
        sa.select(JobRow)
        .where(JobRow.session_id == session_id, JobRow.is_derived)
        .order_by(JobRow.id)
        .with_for_update()
    )
    return list((await session.execute(statement.execution_options(populate_existing=True))).scalars())


async def fetch_overdue_job_ids(
    session: ReadSession, state: JobState, now: datetime, worker: str | None = None
) -> list[UUID]:
    """Jobs in a state whose deadline has passed, by session: the order in which all sweeps lock them."""
    statement = (
        sa.select(JobRow.id, JobRow.session_id)
        .where(JobRow.state == state, JobRow.deadline <= now)
        .where(sa.true() if worker is None else JobRow.worker == worker)
        .order_by(JobRow.deadline, JobRow.id)
        .limit(MOST_PER_SWEEP)
    )
    overdue = (await session.execute(statement)).all()
    return [row.id for row in sorted(overdue, key=lambda row: (str(row.session_id), str(row.id)))]


async def insert_job(session: WriteSession, row: JobRow) -> None:
    """Add a job."""
    session.add(row)
    await session.flush()


async def update_job(session: WriteSession, row: JobRow, change: JobChange, now: datetime) -> None:
    """Write a change: the locked row and the attempts that changed. A job that does not wait is ready nowhere."""
    job = change.job
    row.state, row.key, row.token, row.worker = job.state.value, job.key, job.token, job.worker
    row.deadline, row.not_before, row.attempts = job.deadline, job.not_before, job.attempts
    if job.reason != row.reason:
        row.log = row.log or None  # where the log was cleared, the new reason is shown
    row.reason, row.by_person = job.reason, job.by_person
    row.finishing, row.runner = job.finishing.value if job.finishing else None, job.runner
    row.outputs = list(job.outputs)
    row.updated_at = now
    await session.flush()
    if job.state is not JobState.WAITING:
        await delete_ready_rows(session, row.id, keep_pauses=job.state is JobState.STARTED)
    await upsert_attempts(session, change.attempts, job.worker or "", now)


async def update_fields(session: WriteSession, row: JobRow, fields: Mapping[str, Any]) -> None:
    """Set columns of a locked job that its state does not depend on."""
    row.updated_at = sa.func.clock_timestamp()
    for name, value in fields.items():
        setattr(row, name, value)
    await session.flush()

"""Every statement scheduler sends to the database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.published import LAB_REPOSITORIES, SESSIONS, UPLOADS, table
from libs.common.schemas.states import AttemptState, JobState, UploadState
from libs.common.visibility import Visibility
from services.scheduler.domain.facts import AttemptValue, JobChange, JobValue, OutputRef, UploadFact
from services.scheduler.models import TOKENS, AttemptRow, JobRow, LogRow
from services.scheduler.queries import ready, visible

SESSION = table(SESSIONS)
_READY = "a job is ready"  # noted in the session, for those who wait
Where = sa.ColumnElement[bool]


async def labs_of_repository(session: AsyncSession, repository_id: UUID | None) -> list[UUID]:
    """The labs that keep their files in a repository."""
    theirs = table(LAB_REPOSITORIES)
    found = sa.select(theirs.c.lab_id).where(theirs.c.repository_id == repository_id)
    return list((await session.execute(found.order_by(theirs.c.lab_id))).scalars())


def jobs(who: Visibility) -> sa.Select[Any]:
    """Jobs with their session, in Alyx's order: level, priority, latest session."""
    return (
        sa.select(
            *JobRow.__table__.columns,
            SESSION.c.subject,
            SESSION.c.lab,
            SESSION.c.date,
            SESSION.c.number,
            *ready.whereabouts(),
        )
        .join(SESSION, SESSION.c.id == JobRow.session_id, isouter=True)
        .where(visible.jobs(who))
        .order_by(JobRow.level, JobRow.priority.desc(), SESSION.c.start_at.desc().nulls_last(), JobRow.id)
    )


async def one(session: AsyncSession, statement: sa.Select[Any], *where: Where) -> Mapping[str, Any] | None:
    """The one row of a statement that fulfils the conditions."""
    row: Mapping[str, Any] | None = (
        (await session.execute(statement.where(*where).limit(1))).mappings().first()
    )
    return row


def value(row: JobRow) -> JobValue:
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
        outputs=refs(row.outputs),
        finishing=JobState(row.finishing) if row.finishing else None,
        is_legacy=row.is_derived is False,
        runner=row.runner,
    )


def refs(outputs: Sequence[Mapping[str, Any]]) -> tuple[OutputRef, ...]:
    """Outputs as the rules read them."""
    return tuple(OutputRef(o["name"], UUID(o["upload_id"]), o["sha256"]) for o in outputs)


def told(outputs: Sequence[OutputRef]) -> list[dict[str, str]]:
    """Outputs as the tables hold them."""
    return [{"name": o.name, "upload_id": str(o.upload_id), "sha256": o.sha256} for o in outputs]


async def locked(session: AsyncSession, job_id: UUID) -> JobRow | None:
    """A job's row, locked behind its session's graph: whoever holds a row may look at the graph next."""
    of_session = await session.scalar(sa.select(JobRow.session_id).where(JobRow.id == job_id))
    if of_session is not None:
        await lock_session(session, of_session)
    found = sa.select(JobRow).where(JobRow.id == job_id).with_for_update()
    return (await session.execute(found.execution_options(populate_existing=True))).scalar_one_or_none()


async def write(session: AsyncSession, row: JobRow, change: JobChange, now: datetime) -> None:
    """Write a decision: the job's row and the attempts that changed."""
    job = change.job
    row.state, row.key, row.token, row.worker = job.state.value, job.key, job.token, job.worker
    row.deadline, row.not_before, row.attempts = job.deadline, job.not_before, job.attempts
    row.reason, row.by_person = job.reason, job.by_person
    row.finishing, row.runner = job.finishing.value if job.finishing else None, job.runner
    row.outputs = told(job.outputs)
    row.updated_at = now
    if job.state is JobState.WAITING:
        note_ready(session)
    await session.flush()
    if job.state is not JobState.WAITING:
        await ready.clear(session, row.id, keep_rests=job.state is JobState.STARTED)
    for attempt in change.attempts:
        values = {
            "state": attempt.state.value,
            "outputs": told(attempt.outputs),
            "ended_at": now if attempt.state.has_ended else None,
        }
        statement = insert(AttemptRow).values(
            token=attempt.token, job_id=attempt.job_id, worker=job.worker or "", **values
        )
        await session.execute(statement.on_conflict_do_update(index_elements=[AttemptRow.token], set_=values))


def note_ready(session: AsyncSession) -> None:
    """A worker may take a job that is written or locked here, once this is committed."""
    session.info[_READY] = True


def made_ready(session: AsyncSession) -> bool:
    """Whether that was noted."""
    return _READY in session.info


async def next_token(session: AsyncSession) -> int:
    """A token that no attempt ever had."""
    return int((await session.execute(sa.select(TOKENS.next_value()))).scalar_one())


async def clock(session: AsyncSession) -> datetime:
    """The database's clock, which judges leases."""
    now: datetime = (await session.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return now


async def attempt(session: AsyncSession, token: int) -> AttemptValue | None:
    """An attempt by its token."""
    row = await session.get(AttemptRow, token)
    return AttemptValue(row.job_id, row.token, AttemptState(row.state), refs(row.outputs)) if row else None


async def attempts_of(session: AsyncSession, job_id: UUID) -> list[AttemptRow]:
    """The attempts of a job, newest first."""
    found = sa.select(AttemptRow).where(AttemptRow.job_id == job_id).order_by(AttemptRow.token.desc())
    return list((await session.execute(found)).scalars())


async def upload_facts(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, UploadFact]:
    """What transfer says of uploads."""
    theirs = table(UPLOADS)
    rows = await session.execute(sa.select(theirs).where(theirs.c.id.in_(ids)))
    return {
        row.id: UploadFact(row.id, UploadState(row.state), row.sha256, row.job_id, row.token) for row in rows
    }


async def overdue(
    session: AsyncSession, state: JobState, now: datetime, worker: str | None = None
) -> list[UUID]:
    """Jobs in a state whose deadline has passed, by session: the order in which all sweeps lock them."""
    found = (
        sa.select(JobRow.id, JobRow.session_id)
        .where(JobRow.state == state, JobRow.deadline <= now)
        .where(sa.true() if worker is None else JobRow.worker == worker)
        .order_by(JobRow.deadline, JobRow.id)
        .limit(100)
    )
    late = (await session.execute(found)).all()
    return [row.id for row in sorted(late, key=lambda row: (str(row.session_id), str(row.id)))]


async def lock_session(session: AsyncSession, session_id: UUID) -> None:
    """One look at a session's graph at a time."""
    await session.execute(
        sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"graph:{session_id}", 0)))
    )


async def jobs_of_session(session: AsyncSession, session_id: UUID) -> list[JobRow]:
    """The derived jobs of a session, locked."""
    found = (
        sa.select(JobRow)
        .where(JobRow.session_id == session_id, JobRow.is_derived)
        .order_by(JobRow.id)
        .with_for_update()
    )
    return list((await session.execute(found.execution_options(populate_existing=True))).scalars())


async def slots_of_tasks(session: AsyncSession, session_id: UUID) -> set[tuple[str, str]]:
    """Task and probe of the slots of a session in which a task made through `/tasks` stands."""
    found = sa.select(JobRow.task, JobRow.probe).where(
        JobRow.session_id == session_id,
        JobRow.is_derived.is_(False),
        JobRow.arguments == "",
        JobRow.owner_id.is_(None),
    )
    return {(row.task, row.probe) for row in await session.execute(found)}


async def add_log(session: AsyncSession, job_id: UUID, token: int, n: int, text: str) -> None:
    """Keep a piece of a log once."""
    await session.execute(
        insert(LogRow).values(job_id=job_id, token=token, n=n, text=text).on_conflict_do_nothing()
    )


async def log_after(session: AsyncSession, job_id: UUID, after: int) -> list[LogRow]:
    """The pieces of a job's log behind one."""
    found = (
        sa.select(LogRow).where(LogRow.job_id == job_id, LogRow.id > after).order_by(LogRow.id).limit(1_000)
    )
    return list((await session.execute(found)).scalars())


def arguments_text(arguments: Mapping[str, Any] | None) -> str:
    """A legacy task's arguments as the unique key compares them.

    >>> arguments_text({"b": 1, "a": 2}), arguments_text(None)
    ('{"a": 2, "b": 1}', '')
    """
    return json.dumps(arguments, sort_keys=True) if arguments else ""

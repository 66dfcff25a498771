"""Workers and what they hold: the next job for one, its leases, who was heard of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.published import SESSIONS, table
from libs.common.schemas.states import JobState
from services.scheduler.domain.sites import POOL
from services.scheduler.models import AttemptRow, JobRow, ReadyRow, WorkerRow
from services.scheduler.queries.inputs import unreadable

Where = sa.ColumnElement[bool]


async def claimable(
    session: AsyncSession,
    tasks: Sequence[str],
    labs: Sequence[UUID] | None,
    sites: Sequence[str] = (POOL,),
) -> tuple[JobRow, str] | None:
    """The next job for a worker that can read at these sites, locked, and the site that it is ready at.

    Jobs that others are claiming now are passed over, and so are those whose inputs are there no longer.
    """
    statement = (
        sa.select(JobRow, ReadyRow.site)
        .join(ReadyRow, ReadyRow.job_id == JobRow.id)
        .where(
            ReadyRow.site.in_(sites),
            ReadyRow.task.in_(tasks),
            sa.or_(ReadyRow.not_before.is_(None), ReadyRow.not_before <= sa.func.now()),
            JobRow.state == JobState.WAITING,
            JobRow.key.is_not(None),
            sa.or_(JobRow.not_before.is_(None), JobRow.not_before <= sa.func.now()),
            ~unreadable(ReadyRow.site),
            of_labs(labs),
        )
        .order_by(ReadyRow.priority.desc(), ReadyRow.level, ReadyRow.created_at, ReadyRow.job_id)
        .limit(1)
        .with_for_update(of=JobRow, skip_locked=True)
    )
    row = (await session.execute(statement)).first()
    return (row[0], row[1]) if row else None


def of_labs(labs: Sequence[UUID] | None) -> Where:
    """Jobs of sessions of these labs; None: of all."""
    if labs is None:
        return sa.true()
    theirs = table(SESSIONS)
    return sa.exists().where(theirs.c.id == JobRow.session_id, theirs.c.lab_id.in_(labs))


async def is_of_labs(session: AsyncSession, job_id: UUID, labs: Sequence[UUID] | None) -> bool:
    """Whether a job is one of these labs'."""
    found = sa.select(sa.exists().where(JobRow.id == job_id, of_labs(labs)))
    return bool(await session.scalar(found))


async def claimed_before(session: AsyncSession, claim_id: UUID) -> tuple[JobRow, int] | None:
    """The job that a claim has got already, if it is still its own; one sent twice at once waits for itself here."""
    key = sa.func.hashtextextended(f"claim:{claim_id}", 0)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    row = (
        await session.execute(
            sa.select(JobRow, AttemptRow.token)
            .join(AttemptRow, AttemptRow.job_id == JobRow.id)
            .where(AttemptRow.claim_id == claim_id, JobRow.token == AttemptRow.token)
        )
    ).first()
    return (row[0], row[1]) if row else None


async def name_claim(session: AsyncSession, token: int, claim_id: UUID, site: str) -> None:
    """Write a claim's own name and its site to its attempt; an attempt of that name that is over gives it up."""
    await session.execute(
        sa.update(AttemptRow)
        .where(AttemptRow.claim_id == claim_id, AttemptRow.token != token)
        .values(claim_id=None)
    )
    await session.execute(
        sa.update(AttemptRow).where(AttemptRow.token == token).values(claim_id=claim_id, site=site)
    )


async def heartbeat(
    session: AsyncSession, beats: Sequence[tuple[UUID, int]], labs: Sequence[UUID] | None, until: datetime
) -> set[UUID]:
    """Prolong the leases of those jobs of the labs whose token still is the job's; which those are."""
    if not beats:
        return set()
    pairs = sa.tuple_(JobRow.id, JobRow.token)
    kept = (
        sa.select(JobRow.id)
        .where(pairs.in_(beats), JobRow.state == JobState.STARTED, of_labs(labs))
        .order_by(JobRow.id)  # as all who lock several jobs
        .with_for_update(of=JobRow)
    )
    ids = set((await session.execute(kept)).scalars())
    await session.execute(
        sa.update(JobRow)
        .where(JobRow.id.in_(ids))
        .values(deadline=until)
        .execution_options(synchronize_session=False)
    )
    return ids


async def worker_seen(session: AsyncSession, name: str, values: Mapping[str, Any]) -> None:
    """A worker was heard of."""
    statement = insert(WorkerRow).values(name=name, seen_at=sa.func.now(), **values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[WorkerRow.name], set_={**values, "seen_at": sa.func.now()}
        )
    )


async def worker_lives(session: AsyncSession, name: str) -> None:
    """A worker that is known was heard of."""
    await session.execute(
        sa.update(WorkerRow)
        .where(WorkerRow.name == name)
        .values(seen_at=sa.func.now())
        .execution_options(synchronize_session=False)
    )


async def last_heard(session: AsyncSession) -> datetime | None:
    """When any worker was heard of."""
    heard: datetime | None = await session.scalar(sa.select(sa.func.max(WorkerRow.seen_at)))
    return heard


async def workers(session: AsyncSession) -> list[WorkerRow]:
    """All workers, last heard of first."""
    found = sa.select(WorkerRow).order_by(WorkerRow.seen_at.desc(), WorkerRow.name)
    return list((await session.execute(found)).scalars())

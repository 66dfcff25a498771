"""Workers and what they hold: the next job for one, its leases, who was heard of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.permissions import Reach
from libs.common.schemas.states import JobState
from libs.common.targets import session_in_reach
from libs.common.visibility import Visibility
from libs.common.visible import session_visible
from services.scheduler.domain.sites import POOL
from services.scheduler.models import AttemptRow, JobRow, ReadyRow, WorkerRow
from services.scheduler.queries.inputs import unreadable

Where = sa.ColumnElement[bool]


async def claimable(
    session: AsyncSession,
    tasks: Sequence[str],
    reach: Reach | None,
    who: Visibility,
    sites: Sequence[str] = (POOL,),
) -> tuple[JobRow, str] | None:
    """The next job for a worker that can read at these sites, locked, and the site that it is ready at.

    A job of a session that `who` may not know of is left to others: this worker could not read its inputs. Jobs that
    others are claiming now are passed over, and so are those whose inputs are there no longer.
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
            session_in_reach(reach, JobRow.session_id),
            sa.true() if who.everything else session_visible(who, JobRow.session_id),
        )
        .order_by(ReadyRow.priority.desc(), ReadyRow.level, ReadyRow.created_at, ReadyRow.job_id)
        .limit(1)
        .with_for_update(of=JobRow, skip_locked=True)
    )
    row = (await session.execute(statement)).first()
    return (row[0], row[1]) if row else None


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
    session: AsyncSession, beats: Sequence[tuple[UUID, int]], reach: Reach | None, until: datetime
) -> set[UUID]:
    """Prolong the leases of those jobs within reach whose token still is the job's; which those are."""
    if not beats:
        return set()
    pairs = sa.tuple_(JobRow.id, JobRow.token)
    kept = (
        sa.select(JobRow.id)
        .where(pairs.in_(beats), JobRow.state == JobState.STARTED, session_in_reach(reach, JobRow.session_id))
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


async def workers(session: AsyncSession, who: Visibility) -> list[WorkerRow]:
    """Workers, last heard of first; of a narrowed token the caller's own and those that had jobs of its sessions."""
    found = sa.select(WorkerRow).order_by(WorkerRow.seen_at.desc(), WorkerRow.name)
    if who.public_only:
        return []
    if who.labs is not None:
        worked = sa.exists().where(
            AttemptRow.worker == WorkerRow.name,
            JobRow.id == AttemptRow.job_id,
            session_visible(who, JobRow.session_id),
        )
        mine = WorkerRow.user_id == who.caller_id
        found = found.where(sa.or_(mine, worked.correlate_except(AttemptRow, JobRow)))
    return list((await session.execute(found)).scalars())

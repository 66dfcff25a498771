"""Claims: the next job for a worker, and the leases of those it has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import WriteSession
from libs.common.permissions import Reach
from libs.common.schemas.states import JobState
from libs.common.targets import is_session_in_reach
from libs.common.visibility import Visibility
from libs.common.visible import is_session_visible
from services.scheduler.models import AttemptRow, JobRow, ReadyRow
from services.scheduler.queries.inputs import unreadable


async def find_and_lock_claimable_job(
    session: WriteSession,
    tasks: Sequence[str],
    reach: Reach | None,
    visibility: Visibility,
    sites: Sequence[str],
) -> tuple[JobRow, str] | None:
    """The next job for a worker that can read at these sites, locked, and the site at which it is ready.

    A job of a session that the worker may not know of is left to others, as it could not read the inputs. Jobs that
    other claims have locked are skipped, and so are those whose inputs can no longer be read.
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
            is_session_in_reach(reach, JobRow.session_id),
            is_session_visible(visibility, JobRow.session_id),
        )
        .order_by(ReadyRow.priority.desc(), ReadyRow.level, ReadyRow.created_at, ReadyRow.job_id)
        .limit(1)
        .with_for_update(of=JobRow, skip_locked=True)
    )
    row = (await session.execute(statement)).first()
    return (row[0], row[1]) if row else None


async def find_and_lock_claim(session: WriteSession, claim_id: UUID) -> tuple[JobRow, int] | None:
    """Lock a claim's id, so that one sent twice at once waits here; its job and token, if it has one already."""
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


async def update_claim(session: WriteSession, token: int, claim_id: UUID, site: str) -> None:
    """Give an attempt its claim's id and site; an earlier attempt with this id, which is over, loses it."""
    await session.execute(
        sa.update(AttemptRow)
        .where(AttemptRow.claim_id == claim_id, AttemptRow.token != token)
        .values(claim_id=None)
    )
    await session.execute(
        sa.update(AttemptRow).where(AttemptRow.token == token).values(claim_id=claim_id, site=site)
    )


async def update_leases(
    session: WriteSession, beats: Sequence[tuple[UUID, int]], reach: Reach | None, until: datetime
) -> set[UUID]:
    """Extend the leases of those jobs (id, token) within reach whose token is still valid; the ids of these jobs."""
    if not beats:
        return set()
    pairs = sa.tuple_(JobRow.id, JobRow.token)
    valid = (
        sa.select(JobRow.id)
        .where(
            pairs.in_(beats), JobRow.state == JobState.STARTED, is_session_in_reach(reach, JobRow.session_id)
        )
        .order_by(JobRow.id)  # as in every statement that locks several jobs
        .with_for_update(of=JobRow)
    )
    ids = set((await session.execute(valid)).scalars())
    await session.execute(
        sa.update(JobRow)
        .where(JobRow.id.in_(ids))
        .values(deadline=until)
        .execution_options(synchronize_session=False)
    )
    return ids

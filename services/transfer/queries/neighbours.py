"""What registry and scheduler show of copies and attempts, with what decides who may bring their bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.permissions import Target
from libs.common.published import ATTEMPTS, COPIES, DATASETS, JOBS, table
from libs.common.schemas.states import AttemptState
from libs.common.targets import object_target, session_targets
from libs.common.visibility import Visibility
from libs.common.visible import dataset_row_visible, session_visible


@dataclass(frozen=True)
class CopyFound:
    """A copy, as registry shows it, and what decides who may bring it."""

    id: UUID
    store: str | None
    state: str
    sha256: str | None
    target: Target


async def copies(
    session: AsyncSession, ids: Iterable[UUID], seen: Visibility | None = None
) -> dict[UUID, CopyFound]:
    """Copies by id, of sessions that are there; with `seen`, those that the caller may know of."""
    copy, dataset = table(COPIES), table(DATASETS)
    statement = (
        sa.select(
            copy.c.id,
            copy.c.store,
            copy.c.state,
            copy.c.sha256,
            dataset.c.session_id,
            dataset.c.content_type,
            dataset.c.object_id,
        )
        .join(dataset, dataset.c.id == copy.c.dataset_id)
        .where(copy.c.id == sa.any_(sa.literal(list(ids), ARRAY(sa.UUID))))
    )
    if seen is not None:
        statement = statement.where(dataset_row_visible(seen, dataset.c, dataset.c.public))
    rows = (await session.execute(statement)).all()
    sessions = await session_targets(session, {row.session_id for row in rows if row.session_id})
    found: dict[UUID, CopyFound] = {}
    for row in rows:
        target = sessions.get(row.session_id)
        if row.session_id is None:
            target = await object_target(session, row.content_type, row.object_id)
        if target is not None:
            found[row.id] = CopyFound(row.id, row.store, row.state, row.sha256, target)
    return found


@dataclass(frozen=True)
class AttemptFound:
    """An attempt, as scheduler shows it, and what decides who may work on it."""

    token: int
    job_id: UUID
    state: AttemptState
    target: Target
    is_known: bool


async def attempts(session: AsyncSession, tokens: Iterable[int], who: Visibility) -> dict[int, AttemptFound]:
    """Attempts by token; `is_known` tells whether the caller may know of the job's session."""
    seen, jobs = table(ATTEMPTS), table(JOBS)
    statement = (
        sa.select(
            seen.c.token,
            seen.c.job_id,
            seen.c.state,
            jobs.c.session_id,
            sa.or_(jobs.c.session_id.is_(None), session_visible(who, jobs.c.session_id)).label("is_known"),
        )
        .outerjoin(jobs, jobs.c.id == seen.c.job_id)
        .where(seen.c.token.in_(list(tokens)))
    )
    rows = (await session.execute(statement)).all()
    sessions = await session_targets(session, {row.session_id for row in rows if row.session_id})
    return {
        row.token: AttemptFound(
            row.token,
            row.job_id,
            AttemptState(row.state),
            sessions.get(row.session_id, Target()),
            row.is_known,
        )
        for row in rows
    }

"""The copies and attempts that uploads refer to, as registry and scheduler publish them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from libs.common.db.sessions import ReadSession
from libs.common.permissions import Target
from libs.common.published import ATTEMPTS, COPIES, DATASETS, JOBS, table
from libs.common.schemas.states import AttemptState
from libs.common.targets import fetch_object_target, fetch_session_targets
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_row_visible, is_session_visible


@dataclass(frozen=True)
class ReferredCopy:
    """A copy of registry; `target` decides who may upload its bytes."""

    id: UUID
    store: str | None
    state: str
    sha256: str | None
    target: Target


async def fetch_copies(
    session: ReadSession, copy_ids: Iterable[UUID], visibility: Visibility | None = None
) -> dict[UUID, ReferredCopy]:
    """Copies by id, of sessions that exist; with `visibility`, those that the caller may see."""
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
        .where(copy.c.id == sa.any_(sa.literal(list(copy_ids), ARRAY(sa.UUID))))
    )
    if visibility is not None:
        statement = statement.where(is_dataset_row_visible(visibility, dataset.c, dataset.c.public))
    rows = (await session.execute(statement)).all()
    sessions = await fetch_session_targets(session, {row.session_id for row in rows if row.session_id})
    copies: dict[UUID, ReferredCopy] = {}
    for row in rows:
        target = sessions.get(row.session_id)
        if row.session_id is None:
            target = await fetch_object_target(session, row.content_type, row.object_id)
        if target is not None:
            copies[row.id] = ReferredCopy(row.id, row.store, row.state, row.sha256, target)
    return copies


@dataclass(frozen=True)
class ReferredAttempt:
    """An attempt of scheduler; `target` decides who may work on it, `is_visible` is about the job's session."""

    token: int
    job_id: UUID
    state: AttemptState
    target: Target
    is_visible: bool


async def fetch_attempts(
    session: ReadSession, tokens: Iterable[int], visibility: Visibility
) -> dict[int, ReferredAttempt]:
    """Attempts by token, visible to the caller or not."""
    attempt, job = table(ATTEMPTS), table(JOBS)
    is_visible = sa.or_(job.c.session_id.is_(None), is_session_visible(visibility, job.c.session_id))
    statement = (
        sa.select(
            attempt.c.token,
            attempt.c.job_id,
            attempt.c.state,
            job.c.session_id,
            is_visible.label("is_visible"),
        )
        .outerjoin(job, job.c.id == attempt.c.job_id)
        .where(attempt.c.token.in_(list(tokens)))
    )
    rows = (await session.execute(statement)).all()
    sessions = await fetch_session_targets(session, {row.session_id for row in rows if row.session_id})
    return {
        row.token: ReferredAttempt(
            row.token,
            row.job_id,
            AttemptState(row.state),
            sessions.get(row.session_id, Target()),
            row.is_visible,
        )
        for row in rows
    }

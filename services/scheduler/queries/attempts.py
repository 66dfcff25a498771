"""Attempts: one row per claim of a job, identified by its token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import ReadSession, WriteSession
from libs.common.schemas.attempts import Attempt
from libs.common.schemas.states import AttemptState
from services.scheduler.domain.facts import AttemptValue
from services.scheduler.domain.sites import POOL
from services.scheduler.models import TOKENS, AttemptRow


async def fetch_next_token(session: WriteSession) -> int:
    """A token that was never used."""
    return int((await session.execute(sa.select(TOKENS.next_value()))).scalar_one())


async def find_attempt(session: ReadSession, token: int) -> AttemptValue | None:
    """An attempt by its token."""
    row = await session.get(AttemptRow, token)
    if row is None:
        return None
    return AttemptValue(row.job_id, row.token, AttemptState(row.state), tuple(row.outputs))


async def fetch_attempts_of_job(session: ReadSession, job_id: UUID) -> list[Attempt]:
    """The attempts of a job, newest first."""
    statement = sa.select(AttemptRow).where(AttemptRow.job_id == job_id).order_by(AttemptRow.token.desc())
    return [Attempt.model_validate(row) for row in (await session.execute(statement)).scalars()]


async def fetch_return(session: ReadSession, job_id: UUID, token: int) -> tuple[str, int]:
    """The site of an attempt that was given back, and how often the job came back from there within a day."""
    site = await session.scalar(sa.select(AttemptRow.site).where(AttemptRow.token == token))
    times = await session.scalar(
        sa.select(sa.func.count()).where(
            AttemptRow.job_id == job_id,
            AttemptRow.site == site,
            AttemptRow.state == AttemptState.RETURNED,
            AttemptRow.ended_at > sa.func.now() - sa.text("interval '1 day'"),
        )
    )
    return site or POOL, times or 1


async def upsert_attempts(
    session: WriteSession, attempts: Sequence[AttemptValue], worker: str, now: datetime
) -> None:
    """Write new and changed attempts of a job."""
    for attempt in attempts:
        values = {
            "state": attempt.state.value,
            "outputs": list(attempt.outputs),
            "ended_at": now if attempt.state.has_ended else None,
        }
        statement = insert(AttemptRow).values(
            token=attempt.token, job_id=attempt.job_id, worker=worker, **values
        )
        await session.execute(statement.on_conflict_do_update(index_elements=[AttemptRow.token], set_=values))

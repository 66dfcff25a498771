"""Logs of attempts, in pieces."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import ReadSession, WriteSession
from libs.common.schemas.attempts import LogPiece
from services.scheduler.models import LogRow

MOST_PIECES = 1_000  # per request


async def insert_log_piece(session: WriteSession, job_id: UUID, token: int, n: int, text: str) -> None:
    """Store a piece of a log; nothing if the attempt has one of this number already."""
    await session.execute(
        insert(LogRow).values(job_id=job_id, token=token, n=n, text=text).on_conflict_do_nothing()
    )


async def fetch_log_after(session: ReadSession, job_id: UUID, after: int) -> list[LogPiece]:
    """The pieces of a job's log behind the one with the id `after`."""
    statement = (
        sa.select(LogRow)
        .where(LogRow.job_id == job_id, LogRow.id > after)
        .order_by(LogRow.id)
        .limit(MOST_PIECES)
    )
    return [LogPiece.model_validate(row) for row in (await session.execute(statement)).scalars()]

"""Browsers that people signed in with."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.metadata.models import BrowserSessionRow as Row

KEPT: timedelta = timedelta(days=30)
_now = sa.func.clock_timestamp()
_lives = sa.and_(Row.ended_at.is_(None), Row.idle_until > _now, Row.expires_at > _now)


async def sessions_of(session: AsyncSession, user_id: UUID, only: UUID | None = None) -> list[Row]:
    """A person's browser sessions that have not ended, newest first; `only` one of them."""
    found = sa.select(Row).where(Row.user_id == user_id, _lives).order_by(Row.created_at.desc(), Row.id)
    return list((await session.execute(found if only is None else found.where(Row.id == only))).scalars())


async def end(
    session: AsyncSession, user_id: UUID, *, only: UUID | None = None, but: UUID | None = None
) -> list[UUID]:
    """End a person's browser sessions: all, `only` one, or all `but` one; which were ended."""
    ended = sa.update(Row).where(Row.user_id == user_id, _lives).values(ended_at=_now).returning(Row.id)
    if only is not None:
        ended = ended.where(Row.id == only)
    if but is not None:
        ended = ended.where(Row.id != but)
    return list((await session.execute(ended)).scalars())


async def use(session: AsyncSession, session_id: UUID, now: datetime, idle: timedelta) -> None:
    """A browser asked for something: it may be idle from now on."""
    await session.execute(
        sa.update(Row)
        .where(Row.id == session_id, _lives)
        .values(used_at=now, idle_until=sa.func.least(now + idle, Row.expires_at))
    )


async def forget_old(session: AsyncSession) -> None:
    """Delete sessions that ended a month ago."""
    ended = sa.func.least(Row.idle_until, Row.expires_at, Row.ended_at)
    await session.execute(sa.delete(Row).where(ended < sa.func.now() - KEPT))

"""Browser sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession, WriteSession
from services.metadata.models import BrowserSessionRow as Row

KEEP_ENDED: Final = timedelta(days=30)
_now = sa.func.clock_timestamp()
_is_active = sa.and_(Row.ended_at.is_(None), Row.idle_until > _now, Row.expires_at > _now)


@dataclass(frozen=True, slots=True)
class StoredBrowserSession:
    """A browser session, without its token."""

    id: UUID
    created_at: datetime
    used_at: datetime
    idle_until: datetime
    expires_at: datetime
    address: str
    browser: str


def _stored(row: Row) -> StoredBrowserSession:
    return StoredBrowserSession(**{name: getattr(row, name) for name in StoredBrowserSession.__slots__})


async def list_browser_sessions(
    session: ReadSession, user_id: UUID, only: UUID | None = None
) -> list[StoredBrowserSession]:
    """A user's active browser sessions, newest first; with `only` at most that one."""
    statement = sa.select(Row).where(Row.user_id == user_id, _is_active)
    if only is not None:
        statement = statement.where(Row.id == only)
    rows = await session.execute(statement.order_by(Row.created_at.desc(), Row.id))
    return [_stored(row) for row in rows.scalars()]


async def insert_browser_session(session: WriteSession, row: Row) -> StoredBrowserSession:
    """Add a browser session."""
    session.add(row)
    await session.flush()
    return _stored(row)


async def end_browser_sessions(
    session: WriteSession, user_id: UUID, *, only: UUID | None = None, but: UUID | None = None
) -> list[UUID]:
    """End a user's active browser sessions: all, `only` one, or all `but` one; returns the ids of the ended ones."""
    statement = sa.update(Row).where(Row.user_id == user_id, _is_active)
    if only is not None:
        statement = statement.where(Row.id == only)
    if but is not None:
        statement = statement.where(Row.id != but)
    return list((await session.execute(statement.values(ended_at=_now).returning(Row.id))).scalars())


async def update_last_use(
    session: WriteSession, browser_session_id: UUID, now: datetime, idle: timedelta
) -> None:
    """Restart the idle time of a browser session."""
    await session.execute(
        sa.update(Row)
        .where(Row.id == browser_session_id, _is_active)
        .values(used_at=now, idle_until=sa.func.least(now + idle, Row.expires_at))
    )


async def delete_old_browser_sessions(session: WriteSession) -> None:
    """Delete sessions that ended a month ago."""
    ended = sa.func.least(Row.idle_until, Row.expires_at, Row.ended_at)
    await session.execute(sa.delete(Row).where(ended < sa.func.now() - KEEP_ENDED))

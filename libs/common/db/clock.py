"""The database's clock: the one that all processes share."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession


async def fetch_now(session: ReadSession) -> datetime:
    """The present time of the database, also within a long transaction."""
    now: datetime = (await session.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return now

"""The database's clock, which judges leases."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from libs.common.db import ReadSession


async def fetch_now(session: ReadSession) -> datetime:
    """The present time of the database."""
    now: datetime = (await session.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return now

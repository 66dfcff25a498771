"""What tests of the bus need: a session, a user, and an onlooker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from libs.common.testing import Callers
from tests.support.makers.metadata import make_session, make_user
from tests.support.system import Cingulum


@asynccontextmanager
async def a_session(
    cingulum: Cingulum, callers: Callers
) -> AsyncIterator[tuple[UUID, UUID, asyncpg.Connection]]:
    """A session and a user; the connection of an onlooker."""
    session, user = await make_session(cingulum, callers.lab_id), await make_user(cingulum)
    onlooker = await asyncpg.connect(cingulum.admin_url)
    try:
        yield session, user, onlooker
    finally:
        await onlooker.close()

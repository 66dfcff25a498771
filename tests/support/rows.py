"""Rows that tests need to be there, written as their owners would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg

from libs.common.testing import Callers
from tests.support.system import Cingulum


@asynccontextmanager
async def a_session(
    cingulum: Cingulum, callers: Callers
) -> AsyncIterator[tuple[UUID, UUID, asyncpg.Connection]]:
    """A session and a person; the connection of an onlooker."""
    session, subject, user = uuid4(), uuid4(), uuid4()
    onlooker = await asyncpg.connect(cingulum.admin_url)
    await onlooker.execute(
        f"""
        INSERT INTO metadata.users (id, username) VALUES ('{user}', 'ada');
        INSERT INTO metadata.labs (id, name) VALUES ('{callers.lab_id}', 'hilllab');
        INSERT INTO metadata.subjects (id, nickname, lab_id) VALUES ('{subject}', 'm1', '{callers.lab_id}');
        INSERT INTO metadata.actions (id, kind, subject_id, lab_id, start_time, start_at, day, number)
            VALUES ('{session}', 'session', '{subject}', '{callers.lab_id}', '2020-08-21T00:00:00', '2020-08-21',
            '2020-08-21', 1);
        """
    )
    try:
        yield session, user, onlooker
    finally:
        await onlooker.close()

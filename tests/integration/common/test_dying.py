"""Killed between any two steps, on either side: the event is neither lost nor handled twice."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import asyncpg
import pytest

from libs.common.testing import Callers
from tests.support import crashing
from tests.support.makers.metadata import make_user
from tests.support.rows import a_session
from tests.support.system import Cingulum

pytestmark = pytest.mark.deep

MOST = 80


async def assert_handled_once(onlooker: asyncpg.Connection, n: int) -> None:
    """Each of n events was said once, handled once, and did once what it does."""
    assert await onlooker.fetchval("SELECT count(*) FROM registry.events") == n
    assert await onlooker.fetchval("SELECT count(*) FROM metadata.inbox") == n
    assert await onlooker.fetchval("SELECT count(*) FROM metadata.action_users") == n
    assert await onlooker.fetchval("SELECT count(*) FROM metadata.dead_events") == 0


async def dies_or_lives(target: Callable[..., None], *words: object, fatal: int) -> bool:
    """Run it with a fatal step, and if it died, once more without; whether it lived."""
    code = await asyncio.to_thread(crashing.run, target, *words, fatal)
    if code == 0:
        return True
    assert code == -signal.SIGKILL
    assert await asyncio.to_thread(crashing.run, target, *words, 0) == 0
    return False


@pytest.mark.timeout(600)
@pytest.mark.parametrize("side", ["say", "hear"])
async def test_killed_at_any_step(cingulum: Cingulum, callers: Callers, side: str) -> None:
    environment = dict(cingulum.environment)
    async with a_session(cingulum, callers) as (session, _, onlooker):
        for n in range(1, MOST):
            user = await make_user(cingulum)
            is_published = await dies_or_lives(
                crashing.publish_event, environment, str(session), str(user), fatal=n if side == "say" else 0
            )
            is_handled = await dies_or_lives(
                crashing.handle_events, environment, n, fatal=n if side == "hear" else 0
            )
            await assert_handled_once(onlooker, n)
            if n > 1 and (is_published if side == "say" else is_handled):
                return
        raise AssertionError(f"{side}: more than {MOST} steps")

"""A change of a task locks the graph of its session, then the task, and changes its latest version."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg

from libs.common.catalogue import Service
from libs.common.testing import Callers, Running
from tests.support.jobs import a_session_with_trials
from tests.support.makers.metadata import make_project
from tests.support.system import Cingulum
from tests.support.waiting import attempts

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"


async def a_task(scheduler: Running, session: UUID) -> str:
    body = {"name": "Sort", "session": str(session), "log": "as created"}
    return str((await scheduler.post("/tasks", body)).json()["id"])


async def until_waiting(observer: asyncpg.Connection) -> None:
    async for _ in attempts():
        if await observer.fetchval(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
        ):
            return
    raise TimeoutError


async def test_a_change_waits_for_the_graph_before_it_locks_the_task(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    task = await a_task(scheduler, session)
    holder, other = await asyncpg.connect(cingulum.admin_url), await asyncpg.connect(cingulum.admin_url)
    async with holder.transaction():
        await holder.execute(LOCK, f"graph:{session}")
        change = asyncio.create_task(scheduler.patch(f"/tasks/{task}", {"priority": 7}))
        await until_waiting(other)
        # It has not locked the row: the holder of the graph may change it meanwhile.
        await holder.execute(
            "UPDATE scheduler.jobs SET log = 'as changed', level = 3 WHERE id = $1", UUID(task)
        )
    answer = (await change).json()
    assert (answer["priority"], answer["level"], answer["log"]) == (7, 3, "as changed")
    await holder.close()
    await other.close()


async def test_a_change_of_a_task_that_was_deleted_at_this_moment_is_not_found(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    task = await a_task(scheduler, session)
    holder, other = await asyncpg.connect(cingulum.admin_url), await asyncpg.connect(cingulum.admin_url)
    async with holder.transaction():
        await holder.execute(LOCK, f"graph:{session}")
        change = asyncio.create_task(scheduler.patch(f"/tasks/{task}", {"priority": 7}))
        await until_waiting(other)
        await holder.execute("DELETE FROM scheduler.jobs WHERE id = $1", UUID(task))
    assert (await change).status_code == 404
    await holder.close()
    await other.close()


async def test_the_change_of_an_invisible_task_waits_for_nothing(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    task = await a_task(scheduler, session)
    await make_project(cingulum, "secret", session, is_private=True)
    holder = await asyncpg.connect(cingulum.admin_url)
    async with holder.transaction():
        await holder.execute(LOCK, f"graph:{session}")
        assert (await scheduler.patch(f"/tasks/{task}", {"priority": 7})).status_code == 404
    await holder.close()

"""A change of a task locks the graph of its session, then the task, and changes its latest version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from libs.common.catalogue import Service
from libs.common.testing import Callers, Running
from services.metadata.models.labs import LabRow
from tests.support.jobs import a_session_with_trials
from tests.support.locks import take, until_queued
from tests.support.makers.database import named, owner
from tests.support.makers.metadata import make_project, make_session
from tests.support.system import Cingulum

Change = Callable[[Running, str], Coroutine[Any, Any, httpx.Response]]
CHANGES: dict[str, Change] = {
    "priority": lambda scheduler, task: scheduler.patch(f"/tasks/{task}", {"priority": 7}),
    "status": lambda scheduler, task: scheduler.patch(f"/tasks/{task}", {"status": "Held"}),
    "hold": lambda scheduler, task: scheduler.post(f"/jobs/{task}/hold", {"reason": "no"}),
    "abandon": lambda scheduler, task: scheduler.post(f"/jobs/{task}/abandon", {"reason": "no"}),
    "release": lambda scheduler, task: scheduler.post(f"/jobs/{task}/release"),
    "delete": lambda scheduler, task: scheduler.delete(f"/tasks/{task}"),
}
every_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


async def a_task(scheduler: Running, session: UUID) -> str:
    body = {"name": "Sort", "session": str(session), "log": "as created"}
    return str((await scheduler.post("/tasks", body)).json()["id"])


@pytest.fixture
async def holder(cingulum: Cingulum) -> AsyncIterator[asyncpg.Connection]:
    """A connection that holds a lock."""
    connection = await asyncpg.connect(cingulum.admin_url)
    yield connection
    await connection.close()


@pytest.fixture
async def other(cingulum: Cingulum) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside it."""
    connection = await asyncpg.connect(cingulum.admin_url)
    yield connection
    await connection.close()


async def test_a_change_waits_for_the_graph_before_it_locks_the_task(
    cingulum: Cingulum, callers: Callers, holder: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    task = await a_task(scheduler, session)
    async with holder.transaction():
        await take(holder, f"graph:{session}")
        change = asyncio.create_task(scheduler.patch(f"/tasks/{task}", {"priority": 7}))
        await until_queued(other, f"graph:{session}", 1)
        # It has not locked the row: the holder of the graph may change it meanwhile.
        await holder.execute(
            "UPDATE scheduler.jobs SET log = 'as changed', level = 3 WHERE id = $1", UUID(task)
        )
    answer = (await change).json()
    assert (answer["priority"], answer["level"], answer["log"]) == (7, 3, "as changed")


async def test_a_change_of_a_task_that_was_deleted_at_this_moment_is_not_found(
    cingulum: Cingulum, callers: Callers, holder: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    task = await a_task(scheduler, session)
    async with holder.transaction():
        await take(holder, f"graph:{session}")
        change = asyncio.create_task(scheduler.patch(f"/tasks/{task}", {"priority": 7}))
        await until_queued(other, f"graph:{session}", 1)
        await holder.execute("DELETE FROM scheduler.jobs WHERE id = $1", UUID(task))
    assert (await change).status_code == 404


async def test_the_change_of_an_invisible_task_waits_for_nothing(
    cingulum: Cingulum, callers: Callers, holder: asyncpg.Connection
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    task = await a_task(scheduler, session)
    await make_project(cingulum, "secret", session, is_private=True)
    async with holder.transaction():
        await take(holder, f"graph:{session}")
        assert (await scheduler.patch(f"/tasks/{task}", {"priority": 7})).status_code == 404


async def a_lab(cingulum: Cingulum, name: str) -> UUID:
    async with owner(cingulum) as database:
        return await named(database, LabRow, name, id=uuid4())


async def task_as_stored(observer: asyncpg.Connection, task: str) -> asyncpg.Record | None:
    return await observer.fetchrow("SELECT * FROM scheduler.jobs WHERE id = $1", UUID(task))


@every_change
async def test_a_task_that_was_hidden_while_its_change_waited_is_not_found(
    cingulum: Cingulum,
    callers: Callers,
    change: Change,
    holder: asyncpg.Connection,
    other: asyncpg.Connection,
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    task = await a_task(scheduler, session)
    before = await task_as_stored(other, task)
    async with holder.transaction():
        await take(holder, f"graph:{session}")
        waiting = asyncio.create_task(change(scheduler, task))
        await until_queued(other, f"graph:{session}", 1)
        await make_project(cingulum, "secret", session, is_private=True)
    answer = await waiting
    assert (answer.status_code, "Sort" in answer.text) == (404, False)
    assert (await scheduler.get(f"/tasks/{task}")).status_code == 404
    assert await task_as_stored(other, task) == before


@every_change
async def test_a_task_whose_session_went_to_another_lab_while_its_change_waited_is_refused(
    cingulum: Cingulum,
    callers: Callers,
    change: Change,
    holder: asyncpg.Connection,
    other: asyncpg.Connection,
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    of_another_lab = await make_session(cingulum, await a_lab(cingulum, "otherlab"))
    task = await a_task(scheduler, session)
    before = await task_as_stored(other, task)
    async with holder.transaction():
        await take(holder, f"graph:{session}")
        waiting = asyncio.create_task(change(scheduler, task))
        await until_queued(other, f"graph:{session}", 1)
        await other.execute(
            "UPDATE metadata.actions AS moved SET lab_id = its.lab_id, subject_id = its.subject_id"
            " FROM metadata.actions AS its WHERE moved.id = $1 AND its.id = $2",
            session,
            of_another_lab,
        )
    assert (await waiting).status_code == 403
    assert await task_as_stored(other, task) == before

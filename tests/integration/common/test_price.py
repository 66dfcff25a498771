"""A query has a price: a slow one is stopped, ends with its caller, and takes no other caller's connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import pytest
import uvicorn

from libs.common.catalogue import Service
from libs.common.observability import caller
from libs.common.testing import Callers, Running
from libs.common.testing.callers import identity_headers
from services.metadata.operations.sign_in import BadCredentials
from tests.support.system import Cingulum
from tests.support.waiting import attempts

PATIENCE_S = 60
# Services whose own loops read none of these tables meanwhile.
PATHS = {
    Service.METADATA: "/subjects?limit=1",
    Service.REGISTRY: "/datasets?limit=1",
}
TABLES = {
    Service.METADATA: "metadata.subjects",
    Service.REGISTRY: "registry.datasets",
}
# What of the same service does not read that table.
OTHERS = {
    Service.METADATA: "/labs?limit=1",
    Service.REGISTRY: "/data-formats?limit=1",
}


@asynccontextmanager
async def held(cingulum: Cingulum, table: str) -> AsyncIterator[asyncpg.Connection]:
    """Whoever reads the table waits until the end of the block, however fast the machine is."""
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield connection
    finally:
        await connection.close()


async def waiting(connection: asyncpg.Connection, table: str) -> int:
    """How many statements wait for the table now."""
    n_waiting = await connection.fetchval(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::regclass", table
    )
    return int(n_waiting)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition."""
    async for _ in attempts():
        if await holds():
            return
    raise TimeoutError


async def until_waiting(connection: asyncpg.Connection, table: str, number: int) -> None:
    """Wait until so many statements wait for the table."""

    async def so_many() -> bool:
        return await waiting(connection, table) == number

    await until(so_many)


@asynccontextmanager
async def over_a_socket(running: Running) -> AsyncIterator[aiohttp.ClientSession]:
    """The service on a port of loopback, so that its callers can hang up."""
    server = uvicorn.Server(uvicorn.Config(running.app, port=0, lifespan="off", log_level="error"))
    serving = asyncio.create_task(server.serve())
    try:

        async def started() -> bool:
            return server.started

        await until(started)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        server.should_exit = True
        await serving


@pytest.mark.parametrize("service", PATHS)
async def test_one_account_cannot_use_all_connections_and_disconnecting_cancels_its_statements(
    cingulum: Cingulum, callers: Callers, service: Service
) -> None:
    running = await cingulum.start(service, callers.administrator)
    greedy = identity_headers(callers.visitor, service)
    async with over_a_socket(running) as client, held(cingulum, TABLES[service]) as lock:

        async def ask() -> int:
            async with client.get(PATHS[service], headers=greedy) as answer:
                return answer.status

        requests = [asyncio.create_task(ask()) for _ in range(12)]
        await until_waiting(lock, TABLES[service], 3)
        answer = await running.get(OTHERS[service])
        assert answer.status_code == 200, "others are answered meanwhile"
        assert await waiting(lock, TABLES[service]) == 3, "one account holds three of the five connections"
        for request in requests:
            request.cancel()
        await asyncio.wait(requests)
        await until_waiting(lock, TABLES[service], 0)
    assert (await running.get(PATHS[service])).status_code == 200


async def test_a_statement_that_takes_too_long_is_stopped_and_the_reason_reported(
    cingulum: Cingulum, callers: Callers
) -> None:
    cingulum.environment = {**cingulum.environment, "CINGULUM_DATABASE_READ_S": "0.2"}
    metadata = await cingulum.start(Service.METADATA, callers.administrator)
    async with held(cingulum, "metadata.subjects"):
        answer = await metadata.get("/subjects")
    assert (answer.status_code, answer.json()["type"]) == (503, "query-too-long")
    assert "use fewer conditions" in answer.json()["detail"]

    async def reads_again() -> bool:  # on a busy machine a short statement may take 0.2 s, too
        return (await metadata.get("/subjects")).status_code == 200

    await until(reads_again)


async def test_a_write_continues_after_its_caller_disconnects(cingulum: Cingulum, callers: Callers) -> None:
    metadata = await cingulum.start(Service.METADATA, callers.administrator)
    headers = identity_headers(callers.administrator, Service.METADATA)
    async with over_a_socket(metadata) as client:
        async with held(cingulum, "metadata.labs") as lock:

            async def write() -> None:
                await client.post("/labs", json={"name": "hilllab"}, headers=headers)

            writing = asyncio.create_task(write())
            await until_waiting(lock, "metadata.labs", 1)
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing

        async def written() -> bool:
            return (await metadata.get("/labs/hilllab")).status_code == 200

        await until(written)


async def test_one_account_leaves_a_connection_for_long_reads_of_others(
    cingulum: Cingulum, callers: Callers
) -> None:
    database = (await cingulum.start(Service.REGISTRY, callers.administrator)).app.state.database
    is_over = asyncio.Event()

    async def read_long(account: UUID, reads: asyncio.Event) -> None:
        caller.set(account)
        async with database.read_long():
            reads.set()
            await is_over.wait()

    greedy, first, second, others = uuid4(), asyncio.Event(), asyncio.Event(), asyncio.Event()
    reading = [asyncio.create_task(read_long(greedy, event)) for event in (first, second)]
    await first.wait()
    reading.append(asyncio.create_task(read_long(uuid4(), others)))
    await asyncio.wait_for(others.wait(), PATIENCE_S)
    assert not second.is_set()
    is_over.set()
    await asyncio.gather(*reading)
    assert second.is_set()


async def test_one_account_leaves_a_connection_for_writes_of_others(
    cingulum: Cingulum, callers: Callers
) -> None:
    metadata = await cingulum.start(Service.METADATA, callers.administrator)
    greedy = identity_headers(callers.administrator, Service.METADATA)
    async with over_a_socket(metadata) as client, held(cingulum, "metadata.labs") as lock:

        async def write(n: int) -> int:
            async with client.post("/labs", json={"name": f"lab{n}"}, headers=greedy) as answer:
                return answer.status

        writing = [asyncio.create_task(write(n)) for n in range(6)]
        await until_waiting(lock, "metadata.labs", 2)
        other = metadata.as_(replace(callers.administrator, user_id=uuid4(), username="another"))
        assert (await other.post("/projects", {"name": "openp"})).status_code == 201
        assert await waiting(lock, "metadata.labs") == 2
        for request in writing:
            request.cancel()
        await asyncio.wait(writing)


WITH_A_PASSWORD = {
    "/auth-token": {"username": "ada", "password": "a guess at it"},
    "/browser-sessions": {"username": "ada", "password": "a guess at it"},
    "/oidc/finish": {"flow": "begun", "state": "kept", "code": "brought back"},
    "/password": {"old_password": "a guess at it", "new_password": "another long one"},
    "/second-factor": {"password": "a guess at it"},
    "/second-factor/remove": {"password": "a guess at it", "code": "123456"},
}


@pytest.mark.parametrize("path", WITH_A_PASSWORD)
async def test_a_password_or_an_identity_that_is_being_checked_holds_no_connection(
    cingulum: Cingulum, callers: Callers, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    cingulum.environment = {**cingulum.environment, "CINGULUM_SECOND_FACTOR": "true"}
    metadata = await cingulum.start(Service.METADATA, callers.administrator)
    is_over, checked = asyncio.Event(), 0

    async def check(*_: object, **__: object) -> bool:
        nonlocal checked
        checked += 1
        await is_over.wait()
        raise BadCredentials

    monkeypatch.setattr(type(metadata.app.state.sign_ins), "check", check)
    monkeypatch.setattr("services.metadata.operations.oidc.finish", check)
    # People, since one account alone leaves a connection to others.
    people = [replace(callers.member, user_id=uuid4(), username=f"person {n}") for n in range(8)]
    guesses = [
        asyncio.create_task(metadata.as_(person).post(path, WITH_A_PASSWORD[path])) for person in people
    ]

    async def all_are_checked() -> bool:
        return checked == len(guesses)

    await until(all_are_checked)
    assert (await metadata.post("/projects", {"name": "openp"})).status_code == 201
    is_over.set()
    await asyncio.wait(guesses)

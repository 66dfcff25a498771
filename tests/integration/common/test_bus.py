"""A committed event is handled once, whatever dies or is lost on the way."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import nats
import pytest

from deploy.local.servers import Nats
from libs.common.bus import STREAM, Envelope, Listener, Outcome
from libs.common.catalogue import Service
from libs.common.events import FilesRegistered
from libs.common.testing import Callers, Running
from tests.support.makers.metadata import make_user
from tests.support.rows import a_session
from tests.support.system import Cingulum
from tests.support.waiting import attempts


@pytest.fixture
def no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services started by the test handle events by messages alone."""

    async def never(_listener: Listener) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Listener, "run_sweep", never)


async def joined(onlooker: asyncpg.Connection, session: UUID) -> int:
    """How many users the session has, once there is any."""
    query = "SELECT count(*) FROM metadata.action_users WHERE action_id = $1"
    async for _ in attempts():
        if n := await onlooker.fetchval(query, session):
            return int(n)
    return 0


async def registered(registry: Running, session: UUID, user: UUID) -> None:
    """Registry says that files were registered: the one real event between the two."""
    await registry.say(FilesRegistered(session_id=session, user_id=user, dataset_ids=[]))


async def handled(onlooker: asyncpg.Connection) -> int:
    """How many events metadata has handled."""
    return int(await onlooker.fetchval("SELECT count(*) FROM metadata.inbox"))


@pytest.mark.usefixtures("no_sweep")
async def test_an_announced_event_is_handled_by_its_message(cingulum: Cingulum, callers: Callers) -> None:
    async with a_session(cingulum, callers) as (session, user, onlooker):
        await cingulum.start(Service.METADATA)
        registry = await cingulum.start(Service.REGISTRY)
        await registered(registry, session, user)
        assert await joined(onlooker, session) == 1
        assert await handled(onlooker) == 1


@pytest.mark.usefixtures("no_sweep")
async def test_an_event_too_large_for_a_message_delays_no_other(cingulum: Cingulum, callers: Callers) -> None:
    async with a_session(cingulum, callers) as (session, user, onlooker):
        metadata = await cingulum.start(Service.METADATA)
        registry = await cingulum.start(Service.REGISTRY)
        ids = [uuid4() for _ in range(30_000)]
        await registry.say(FilesRegistered(session_id=None, user_id=None, dataset_ids=ids))
        await registered(registry, session, user)
        assert await joined(onlooker, session) == 1
        assert await metadata.sweep() == 1


async def test_without_nats_the_sweep_finds_it(cingulum: Cingulum, callers: Callers) -> None:
    cingulum.environment = {
        name: value for name, value in cingulum.environment.items() if name != "CINGULUM_NATS_URL"
    }
    async with a_session(cingulum, callers) as (session, user, onlooker):
        registry = await cingulum.start(Service.REGISTRY)
        await registered(registry, session, user)
        await cingulum.start(Service.METADATA)
        assert await joined(onlooker, session) == 1


async def test_nats_stopped_and_its_stream_deleted_lose_nothing(
    cingulum: Cingulum, callers: Callers, nats_server: Nats
) -> None:
    async with a_session(cingulum, callers) as (session, user, onlooker):
        await cingulum.start(Service.METADATA)
        registry = await cingulum.start(Service.REGISTRY)
        nats_server.stop()
        try:
            await registered(registry, session, user)
            assert await joined(onlooker, session) == 1
        finally:
            nats_server.start()
        client = await nats.connect(nats_server.url)
        try:
            async for _ in attempts():
                streams = [info.config.name for info in await client.jetstream().streams_info()]
                if STREAM in streams:
                    await client.jetstream().delete_stream(STREAM)
                    break
        finally:
            await client.close()
        for _ in range(20):
            await registered(registry, session, await make_user(cingulum))
        async for _ in attempts():
            if await onlooker.fetchval("SELECT count(*) FROM metadata.action_users") == 21:
                break
        assert await onlooker.fetchval("SELECT count(*) FROM metadata.action_users") == 21
        assert await handled(onlooker) == 21


async def test_an_event_delivered_twice_is_handled_once(cingulum: Cingulum, callers: Callers) -> None:
    async with a_session(cingulum, callers) as (session, user, onlooker):
        metadata = await cingulum.start(Service.METADATA)
        listener: Listener = metadata.app.state.listener
        event = FilesRegistered(session_id=session, user_id=user, dataset_ids=[])
        envelope = Envelope(uuid4(), event.subject, event.model_dump(mode="json"), "r1", datetime.now(UTC))
        outcomes = await asyncio.gather(*(listener.handle(envelope, "message") for _ in range(5)))
        assert sorted(outcomes) == [Outcome.HANDLED] + [Outcome.BEFORE] * 4
        assert await handled(onlooker) == 1
        assert await joined(onlooker, session) == 1


async def test_an_operation_that_is_rolled_back_publishes_nothing(cingulum: Cingulum) -> None:
    registry = await cingulum.start(Service.REGISTRY)

    async def undone() -> None:
        async with registry.app.state.writer.begin() as tx:
            tx.publish(FilesRegistered(session_id=None, user_id=None, dataset_ids=[]))
            tx.audit("thing.done", "thing", "1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    assert await registry.published(FilesRegistered) == []

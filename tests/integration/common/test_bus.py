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
from tests.support.rows import a_session
from tests.support.system import Cingulum


async def joined(onlooker: asyncpg.Connection, session: UUID, within_s: float = 15) -> int:
    """How many people the session has, once somebody joined or the time is over."""
    until = asyncio.get_running_loop().time() + within_s
    while True:
        n = await onlooker.fetchval(
            "SELECT count(*) FROM metadata.action_users WHERE action_id = $1", session
        )
        if n or asyncio.get_running_loop().time() > until:
            return int(n)
        await asyncio.sleep(0.05)


async def registered(registry: Running, session: UUID, user: UUID) -> None:
    """Registry says that files were registered: the one real event between the two."""
    await registry.say(FilesRegistered(session_id=session, user_id=user, dataset_ids=[]))


async def handled(onlooker: asyncpg.Connection) -> int:
    """How many events metadata has handled."""
    return int(await onlooker.fetchval("SELECT count(*) FROM metadata.inbox"))


async def test_an_announced_event_is_handled_at_once(cingulum: Cingulum, callers: Callers) -> None:
    cingulum.environment = {**cingulum.environment, "CINGULUM_SWEEP_EVERY_S": "600"}
    async with a_session(cingulum, callers) as (session, user, onlooker):
        await cingulum.start(Service.METADATA)
        registry = await cingulum.start(Service.REGISTRY)
        await asyncio.sleep(1)  # the first sweep of all is over: only the bell can tell
        await registered(registry, session, user)
        assert await joined(onlooker, session) == 1
        assert await handled(onlooker) == 1


async def test_an_event_too_large_for_the_bell_silences_no_other(
    cingulum: Cingulum, callers: Callers
) -> None:
    cingulum.environment = {**cingulum.environment, "CINGULUM_SWEEP_EVERY_S": "600"}
    async with a_session(cingulum, callers) as (session, user, onlooker):
        metadata = await cingulum.start(Service.METADATA)
        registry = await cingulum.start(Service.REGISTRY)
        await asyncio.sleep(1)  # the first sweep of all is over: only the bell can tell
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
            for _ in range(50):
                streams = [info.config.name for info in await client.jetstream().streams_info()]
                if STREAM in streams:
                    await client.jetstream().delete_stream(STREAM)
                    break
                await asyncio.sleep(0.2)
        finally:
            await client.close()
        more = [uuid4() for _ in range(20)]
        for other in more:
            await onlooker.execute(
                "INSERT INTO metadata.users (id, username) VALUES ($1, $2)", other, str(other)
            )
            await registered(registry, session, other)
        for _ in range(200):
            if await onlooker.fetchval("SELECT count(*) FROM metadata.action_users") == 21:
                break
            await asyncio.sleep(0.1)
        assert await onlooker.fetchval("SELECT count(*) FROM metadata.action_users") == 21
        assert await handled(onlooker) == 21


async def test_an_event_delivered_twice_is_handled_once(cingulum: Cingulum, callers: Callers) -> None:
    async with a_session(cingulum, callers) as (session, user, onlooker):
        metadata = await cingulum.start(Service.METADATA)
        listener: Listener = metadata.app.state.listener
        event = FilesRegistered(session_id=session, user_id=user, dataset_ids=[])
        envelope = Envelope(uuid4(), event.subject, event.model_dump(mode="json"), "r1", datetime.now(UTC))
        outcomes = await asyncio.gather(*(listener.handle(envelope, "bell") for _ in range(5)))
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

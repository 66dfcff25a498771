"""A process that kills itself (SIGKILL) before its nth step: a statement, a commit, a publish or an ack."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import nats.aio.msg
import nats.js.client
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tests.support.forks import FORK
from tests.support.waiting import attempts


class Steps:
    """Counts steps and kills the process before the `fatal`th; 0 never kills it."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.done = 0

    def step(self, *_: object, **__: object) -> None:
        """Count a step that is about to happen."""
        self.done += 1
        if self.done == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Count statements, commits, publishes and acks of this process from now on."""
        sa.event.listen(Engine, "before_cursor_execute", self.step)
        sa.event.listen(Engine, "commit", self.step)
        self._wrap(nats.js.client.JetStreamContext, "publish")
        self._wrap(nats.aio.msg.Msg, "ack")

    def _wrap(self, kind: type, name: str) -> None:
        original: Callable[..., Awaitable[Any]] = getattr(kind, name)

        async def wrapped(*args: Any, **more: Any) -> Any:
            self.step()
            answer = await original(*args, **more)
            self.step()
            return answer

        setattr(kind, name, wrapped)


def publish_event(environment: Mapping[str, str], session: str, user: str, fatal: int) -> None:
    """Publish FilesRegistered as registry does, and relay it to NATS."""
    asyncio.run(_publish_event(environment, UUID(session), UUID(user), Steps(fatal)))


async def _publish_event(environment: Mapping[str, str], session_id: UUID, user: UUID, steps: Steps) -> None:
    from libs.common.bus import Bus, Relay
    from libs.common.db import Database
    from libs.common.db.tables import infrastructure
    from libs.common.db.transaction import Writer
    from libs.common.events import FilesRegistered
    from services.registry.models import Base

    database = Database(environment["CINGULUM_REGISTRY_DATABASE_URL"], "registry")
    bus = Bus(environment["CINGULUM_NATS_URL"], "registry")
    await bus.keep_connected()
    committed = asyncio.Event()
    writer = Writer(database, infrastructure(Base.metadata), committed.set)
    relay = asyncio.create_task(Relay("registry", writer, bus, committed).run())
    steps.watch()
    events = writer.tables.events
    async with database.read() as session:
        is_mine = events.c.payload["user_id"].astext == str(user)
        n_published = await session.scalar(sa.select(sa.func.count()).where(is_mine))
    if not n_published:  # as a client repeats a request that was not answered
        async with writer.begin() as tx:
            tx.publish(FilesRegistered(session_id=session_id, user_id=user, dataset_ids=[]))
    async for _ in attempts():
        async with database.read() as session:
            if not await session.scalar(
                sa.select(sa.func.count()).select_from(events).where(events.c.rung_at.is_(None))
            ):
                break
    relay.cancel()
    await bus.close()
    await database.close()


def handle_events(environment: Mapping[str, str], n: int, fatal: int) -> None:
    """Run metadata until it has handled n events in total."""
    asyncio.run(_handle_events(environment, n, Steps(fatal)))


async def _handle_events(environment: Mapping[str, str], n: int, steps: Steps) -> None:
    os.environ.update(environment)
    from services.metadata.app import build

    app = build()
    steps.watch()
    async with app.router.lifespan_context(app):
        inbox = app.state.writer.tables.inbox
        async for _ in attempts():
            async with app.state.database.read() as session:
                if n <= (await session.scalar(sa.select(sa.func.count()).select_from(inbox)) or 0):
                    return


def run(target: Callable[..., None], *args: object) -> int | None:
    """Run a function in a process of its own; its exit code (-9: it was killed)."""
    process = FORK.Process(target=target, args=args)
    process.start()
    process.join(240)
    if process.is_alive():
        process.kill()
        process.join()
        raise TimeoutError(f"{target.__name__} did not end")
    return process.exitcode

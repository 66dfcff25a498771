"""A process that kills itself (SIGKILL) before its nth step: a statement, a commit, a ring, an acknowledgement."""

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


class Steps:
    """Counts steps and dies before the `fatal`th; 0 never dies."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.done = 0

    def step(self, *_: object, **__: object) -> None:
        """One step is about to be taken."""
        self.done += 1
        if self.done == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Count what this process says to PostgreSQL and to NATS from now on."""
        sa.event.listen(Engine, "before_cursor_execute", self.step)
        sa.event.listen(Engine, "commit", self.step)
        self._wrap(nats.js.client.JetStreamContext, "publish")
        self._wrap(nats.aio.msg.Msg, "ack")

    def _wrap(self, kind: type, name: str) -> None:
        original: Callable[..., Awaitable[Any]] = getattr(kind, name)

        async def wrapped(*words: Any, **more: Any) -> Any:
            self.step()
            answer = await original(*words, **more)
            self.step()
            return answer

        setattr(kind, name, wrapped)


def say(environment: Mapping[str, str], session: str, user: str, fatal: int) -> None:
    """Registry says that files were registered, and rings."""
    asyncio.run(_say(environment, UUID(session), UUID(user), Steps(fatal)))


async def _say(environment: Mapping[str, str], session: UUID, user: UUID, steps: Steps) -> None:
    from libs.common.bus import Bus, Relay
    from libs.common.db import Database
    from libs.common.db.tables import infrastructure
    from libs.common.db.transaction import Writer
    from libs.common.events import FilesRegistered
    from services.registry.models import Base

    database = Database(environment["CINGULUM_REGISTRY_DATABASE_URL"], "registry")
    bus = Bus(environment["CINGULUM_NATS_URL"], "registry")
    await bus.keep_connected()
    poked = asyncio.Event()
    writer = Writer(database, infrastructure(Base.metadata), poked.set)
    relay = asyncio.create_task(Relay("registry", writer, bus, poked).run())
    steps.watch()
    events = writer.tables.events
    async with database.read() as reading:
        mine = events.c.payload["user_id"].astext == str(user)
        said = await reading.scalar(sa.select(sa.func.count()).where(mine))
    if not said:  # as a client repeats a request that was not answered
        async with writer.begin() as tx:
            tx.publish(FilesRegistered(session_id=session, user_id=user, dataset_ids=[]))
    for _ in range(100):
        async with database.read() as reading:
            if not await reading.scalar(
                sa.select(sa.func.count()).select_from(events).where(events.c.rung_at.is_(None))
            ):
                break
        await asyncio.sleep(0.05)
    relay.cancel()
    await bus.close()
    await database.close()


def hear(environment: Mapping[str, str], n: int, fatal: int) -> None:
    """Metadata runs until it has handled n events in all."""
    asyncio.run(_hear(environment, n, Steps(fatal)))


async def _hear(environment: Mapping[str, str], n: int, steps: Steps) -> None:
    os.environ.update(environment)
    from services.metadata.app import build

    app = build()
    steps.watch()
    async with app.router.lifespan_context(app):
        inbox = app.state.writer.tables.inbox
        for _ in range(200):
            async with app.state.database.read() as reading:
                if n <= (await reading.scalar(sa.select(sa.func.count()).select_from(inbox)) or 0):
                    return
            await asyncio.sleep(0.02)


def run(target: Callable[..., None], *words: object) -> int | None:
    """Run a function in a process of its own; its exit code (-9: it died as told)."""
    process = FORK.Process(target=target, args=words)
    process.start()
    process.join(60)
    if process.is_alive():
        process.kill()
        process.join()
        raise TimeoutError(f"{target.__name__} did not end")
    return process.exitcode

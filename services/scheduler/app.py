"""The application of scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from libs.common.app import Loop, Parts, create_app
from libs.common.catalogue import Service
from libs.common.db import Transaction
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.observability import logger
from services.scheduler import queries
from services.scheduler.events import hears
from services.scheduler.models import Base
from services.scheduler.operations import graph, pipeline, running
from services.scheduler.operations.desk import Desk
from services.scheduler.routes import routers
from services.scheduler.settings import Settings


async def _start(app: FastAPI) -> Sequence[Loop]:
    settings: Settings = app.state.settings
    desk = app.state.desk = Desk(app.state.bus)
    app.state.writer.committed = desk.committed
    pipeline.note(app.state.writer.info, settings.compress_preset)
    return [
        desk.listen,
        partial(_every, app, settings.lease_sweep_s, running.take_back),
        partial(_every, app, settings.publishing_sweep_s, running.ring_again),
        partial(_look_at_graphs, app, settings.graph_sweep_s),
    ]


async def _every(app: FastAPI, pause_s: float, work: Callable[[Transaction], Awaitable[int]]) -> None:
    """Do a piece of house-keeping again and again; a database that is away is waited for."""
    while True:
        await asyncio.sleep(pause_s)
        try:
            async with app.state.writer.begin() as tx:
                done = await work(tx)
            if done:
                await app.state.desk.ring_everywhere()
        except DATABASE_ERRORS as error:
            logger("scheduler").info("a sweep waits for the database", error=str(error))


async def _look_at_graphs(app: FastAPI, pause_s: float) -> None:
    """Look at sessions whose facts are newer than the last look: what no event told, this finds."""
    since = None
    while True:
        await asyncio.sleep(pause_s if since else 0)
        try:
            async with app.state.database.read_long() as session:
                now = await queries.clock(session)
                changed = await queries.sessions_to_look_at(session, since or now - timedelta(days=30))
            for session_id in changed:
                async with app.state.writer.begin() as tx:
                    await graph.look_at(tx, session_id)
            # An overlap: a transaction that began before this look may commit after it.
            since = now - timedelta(minutes=5)
            if changed:
                await app.state.desk.ring_everywhere()
        except DATABASE_ERRORS as error:
            logger("scheduler").info("the graph sweep waits for the database", error=str(error))
            await asyncio.sleep(1)


def build(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings come from the environment unless given."""
    parts = Parts(Service.SCHEDULER, routers, Base.metadata, hears, _start)
    return create_app(parts, settings or Settings())

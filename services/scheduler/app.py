"""The application of scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from fastapi import FastAPI

from libs.common.app import Loop, Parts, create_app
from libs.common.bus.failures import Cause, cause_of
from libs.common.catalogue import Service
from libs.common.db import Transaction
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.observability import logger
from services.scheduler import queries
from services.scheduler.domain.retry import Liveness
from services.scheduler.events import handlers
from services.scheduler.models import Base
from services.scheduler.operations import graph, pipeline, running
from services.scheduler.operations.claim_queue import ClaimQueue
from services.scheduler.queries import claims, inputs
from services.scheduler.routes import routers
from services.scheduler.settings import Settings

_FIRST: Final = UUID(int=0)
_STALE_A_ROUND: Final = 2_000  # rows of ready jobs that one round reads: some 20 ms of the database


async def _start(app: FastAPI) -> Sequence[Loop]:
    settings: Settings = app.state.settings
    queue = app.state.claim_queue = ClaimQueue(app.state.bus)
    app.state.writer.committed = queue.committed
    pipeline.note(app.state.writer.info, settings.compress_preset)
    return [
        queue.listen,
        partial(_take_back, app, settings.lease_sweep_s),
        partial(_every, app, settings.publishing_sweep_s, running.notify_registry_again),
        partial(_look_at_graphs, app, settings.graph_sweep_s),
    ]


async def _take_back(app: FastAPI, pause_s: float) -> None:
    """Take jobs back from workers that went silent, but from nobody who could not be heard (`Liveness`)."""
    liveness = Liveness()
    while True:
        await asyncio.sleep(pause_s)
        try:
            async with app.state.writer.begin() as tx:
                now = await queries.clock(tx.session)
                liveness = liveness.sampled(await claims.last_heard(tx.session), now)
                done = await running.take_back_from_legacy_runners(tx)
                if (ran_out_by := liveness.expired_by(now)) is not None:
                    done += await running.take_back(tx, ran_out_by)
            if done:
                await app.state.claim_queue.wake_everywhere()
        except DATABASE_ERRORS as error:
            liveness = Liveness()
            logger("scheduler").info("the lease sweep waits for the database", error=str(error))


async def _every(app: FastAPI, pause_s: float, work: Callable[[Transaction], Awaitable[int]]) -> None:
    """Do a piece of house-keeping again and again; a database that is away is waited for."""
    while True:
        await asyncio.sleep(pause_s)
        try:
            async with app.state.writer.begin() as tx:
                done = await work(tx)
            if done:
                await app.state.claim_queue.wake_everywhere()
        except DATABASE_ERRORS as error:
            logger("scheduler").info("a sweep waits for the database", error=str(error))


async def _look_at_graphs(app: FastAPI, pause_s: float) -> None:
    """Look at sessions whose facts are newer than the last look: what no event told, this finds."""
    since, cursor = None, _FIRST
    while True:
        await asyncio.sleep(pause_s if since else 0)
        try:
            async with app.state.database.read_long() as session:
                now = await queries.clock(session)
                changed = set(await inputs.sessions_to_look_at(session, since or now - timedelta(days=30)))
                if since is None:
                    changed |= set(await inputs.sessions_without_sites(session))
                stale, last = await inputs.stale_sites(session, cursor, _STALE_A_ROUND)
            cursor = last or _FIRST
            for session_id in sorted(changed | set(stale)):
                await _look_at(app, session_id)
            # An overlap: a transaction that began before this look may commit after it.
            since = now - timedelta(minutes=5)
            if changed:
                await app.state.claim_queue.wake_everywhere()
        except DATABASE_ERRORS as error:
            logger("scheduler").info("the graph sweep waits for the database", error=str(error))
            await asyncio.sleep(1)


async def _look_at(app: FastAPI, session_id: UUID) -> None:
    """Look at one session. What is wrong with it alone is logged, and keeps no other session waiting."""
    try:
        async with app.state.writer.begin() as tx:
            await graph.look_at(tx, session_id)
    except Exception as error:
        if cause_of(error) is Cause.TRANSIENT:
            raise
        logger("scheduler").error("a session cannot be looked at", session=str(session_id), exc_info=error)


def build(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings come from the environment unless given."""
    parts = Parts(Service.SCHEDULER, routers, Base.metadata, handlers, _start)
    return create_app(parts, settings or Settings())

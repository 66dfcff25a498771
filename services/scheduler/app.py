"""The application of scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from fastapi import FastAPI

from cingulum.worker.pipelines import TaskDeclaration, all_tasks
from cingulum.worker.pipelines.standard import nwb_raw_task
from libs.common.app import Loop, Parts, create_app
from libs.common.bus import EventHandlers
from libs.common.catalogue import Service
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.observability import logger
from services.scheduler.domain.retry import Liveness
from services.scheduler.events import handlers
from services.scheduler.models import Base
from services.scheduler.operations import graph_sweep, sweeps
from services.scheduler.operations.claim_queue import ClaimQueue
from services.scheduler.operations.context import SchedulerContext
from services.scheduler.operations.pipeline import Pipeline
from services.scheduler.operations.tasks import UNDOABLES
from services.scheduler.routes import routers
from services.scheduler.settings import Settings


async def _start(app: FastAPI) -> Sequence[Loop]:
    settings: Settings = app.state.settings
    pipeline = Pipeline.of(_tasks(settings))
    context = app.state.context = SchedulerContext(
        pipeline, ClaimQueue(app.state.bus), settings.list_derived_tasks
    )
    return [
        context.claim_queue.listen,
        partial(_sweep_leases, app, settings.lease_sweep_s),
        partial(_sweep_publishing, app, settings.publishing_sweep_s),
        partial(_sweep_graphs, app, settings.graph_sweep_s),
    ]


def _tasks(settings: Settings) -> tuple[TaskDeclaration, ...]:
    voltage = settings.nwb_voltage
    raw = None if voltage == "none" else nwb_raw_task(voltage, settings.nwb_address)
    return all_tasks(settings.compress_preset, exports_nwb=settings.nwb_export, raw_nwb=raw)


async def _sweep_leases(app: FastAPI, pause_s: float) -> None:
    liveness = Liveness()
    while True:
        await asyncio.sleep(pause_s)
        try:
            async with app.state.writer.begin() as tx:
                liveness = await sweeps.sweep_leases(tx, app.state.context, liveness)
        except DATABASE_ERRORS as error:
            liveness = Liveness()
            logger("scheduler").info("the lease sweep is waiting for the database", error=str(error))


async def _sweep_publishing(app: FastAPI, pause_s: float) -> None:
    while True:
        await asyncio.sleep(pause_s)
        try:
            async with app.state.writer.begin() as tx:
                await sweeps.notify_registry_again(tx, app.state.context)
        except DATABASE_ERRORS as error:
            logger("scheduler").info("the publishing sweep is waiting for the database", error=str(error))


async def _sweep_graphs(app: FastAPI, pause_s: float) -> None:
    sweep = graph_sweep.GraphSweep()
    while True:
        await asyncio.sleep(pause_s if sweep.since else 0)
        try:
            async with app.state.database.read_long() as session:
                session_ids, following = await graph_sweep.fetch_sessions_to_reconcile(
                    session, app.state.context, sweep
                )
            await graph_sweep.reconcile_sessions(app.state.writer.begin, app.state.context, session_ids)
            sweep = following
        except DATABASE_ERRORS as error:
            logger("scheduler").info("the graph sweep is waiting for the database", error=str(error))
            await asyncio.sleep(1)


def _handlers(app: FastAPI) -> EventHandlers:
    return handlers(app.state.context)


def build(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings come from the environment by default."""
    parts = Parts(Service.SCHEDULER, routers, Base.metadata, _handlers, _start, UNDOABLES)
    return create_app(parts, settings or Settings())

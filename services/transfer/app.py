"""The application of transfer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from fastapi import FastAPI

from libs.common.app import Loop, Parts, at_the_end, create_app
from libs.common.catalogue import Service
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.observability import logger
from libs.common.storage import StorageProblem, store_of
from services.transfer.events import handlers_with
from services.transfer.models import Base
from services.transfer.operations import orders
from services.transfer.operations.dock import Dock
from services.transfer.operations.sweeps import sweep
from services.transfer.routes import routers
from services.transfer.settings import Settings


async def _start(app: FastAPI) -> Sequence[Loop]:
    settings: Settings = app.state.settings
    dock = Dock(
        writer=app.state.writer,
        database=app.state.database,
        store=await store_of(settings),
        kind=settings.store_kind,
        within_s=settings.complete_within_s,
    )
    app.state.dock = dock
    return [
        partial(_again_and_again, "sweep", partial(sweep, dock), settings.upload_sweep_every_s),
        partial(_again_and_again, "orders", partial(orders.carry_out, dock), settings.orders_every_s),
        partial(at_the_end, dock.close),
    ]


async def _again_and_again(name: str, work: Callable[[], Awaitable[int]], every_s: float) -> None:
    """Do a piece of work now and then; a database or a store that is away is waited for."""
    while True:
        try:
            await work()
        except (StorageProblem, *DATABASE_ERRORS) as error:
            logger(name).info("this waits", error=str(error))
        await asyncio.sleep(every_s)


def build(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings come from the environment unless given."""
    settings = settings or Settings()
    parts = Parts(Service.TRANSFER, routers, Base.metadata, handlers_with(settings.store_kind), _start)
    return create_app(parts, settings)

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
from services.transfer.operations.proof_orders import carry_out_proof_orders
from services.transfer.operations.sweeps import sweep
from services.transfer.operations.upload_context import UploadContext
from services.transfer.routes import routers
from services.transfer.settings import Settings


async def _start(app: FastAPI) -> Sequence[Loop]:
    settings: Settings = app.state.settings
    context = UploadContext(
        writer=app.state.writer,
        database=app.state.database,
        store=await store_of(settings),
        store_kind=settings.store_kind,
        wait_s=settings.complete_within_s,
    )
    app.state.upload_context = context
    return [
        partial(_repeat, "sweep", partial(sweep, context), settings.upload_sweep_every_s),
        partial(_repeat, "proof_orders", partial(carry_out_proof_orders, context), settings.orders_every_s),
        partial(at_the_end, context.close),
    ]


async def _repeat(name: str, work: Callable[[], Awaitable[int]], every_s: float) -> None:
    """Repeat a piece of work; one that fails while the database or the store is unavailable is retried."""
    while True:
        try:
            await work()
        except (StorageProblem, *DATABASE_ERRORS) as error:
            logger(name).info("retried later", error=str(error))
        await asyncio.sleep(every_s)


def build(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings default to those of the environment."""
    settings = settings or Settings()
    parts = Parts(Service.TRANSFER, routers, Base.metadata, handlers_with(settings.store_kind), _start)
    return create_app(parts, settings)

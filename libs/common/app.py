"""How a service becomes an application: the same middlewares, loops, health and errors everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import JSONResponse, Response

from libs.common import db
from libs.common.administration import router as administration
from libs.common.auth import IdentityMiddleware
from libs.common.bus import Bus, Consumer, EventHandlers, Listener, Relay
from libs.common.catalogue import Service
from libs.common.db.audit import insert_seals
from libs.common.db.engine import DATABASE_ERRORS, NO_RESPONSE
from libs.common.db.idempotency import forget_old
from libs.common.db.restoring import delete_old_removed_rows
from libs.common.db.tables import infrastructure
from libs.common.db.transaction import Writer
from libs.common.disconnect import EndsWithItsCaller
from libs.common.errors import add_errors
from libs.common.limits import Limited
from libs.common.observability import (
    Observed,
    configure_logs,
    logger,
    metrics,
    watch_loop,
)
from libs.common.problem import Unavailable
from libs.common.routing import add_routes
from libs.common.settings import ServiceSettings
from libs.common.shutdown import END_S, cancel_all
from libs.common.undo import Undoables
from libs.common.undo import router as undo

VERSION = "0.1.0"
Loop = Callable[[], Coroutine[Any, Any, None]]
Start = Callable[[FastAPI], Awaitable[Sequence[Loop]]]
AGAIN_S = 1.0
START_S = 30.0
OTHERS_S = 60.0  # how often audit rows are looked for that a process left unchained when it died
FORGET_S = 3600.0


@dataclass(frozen=True)
class Parts:
    """What differs between services.

    `start` is awaited first, and writes with `once_it_responds`; the loops it returns run until the service stops.
    `handlers` may be made from what `start` has put into the application's state.
    """

    service: Service
    routers: Sequence[APIRouter]
    metadata: sa.MetaData
    handlers: EventHandlers | Callable[[FastAPI], EventHandlers]
    start: Start | None = None
    undoables: Undoables = field(default_factory=Undoables)


def create_app(parts: Parts, settings: ServiceSettings) -> FastAPI:
    """The application of one service. Mounted or alone, its lifespan brings all it needs."""
    configure_logs(settings.log_level, as_json=settings.log_json)
    app = FastAPI(
        title=f"Cingulum {parts.service}",
        version=VERSION,
        openapi_url=None,
        lifespan=_lifespan(parts, settings),
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.service = parts.service
    app.state.undoables = parts.undoables
    add_errors(app)
    _add_health(app)
    add_routes(app, (*parts.routers, administration, undo))
    app.add_middleware(EndsWithItsCaller)
    app.add_middleware(IdentityMiddleware, service=parts.service, verify_key=settings.identity_verify_key)
    app.add_middleware(Limited, json_bytes=settings.json_body_bytes)
    app.add_middleware(Observed, service=parts.service)
    return app


def _lifespan(parts: Parts, settings: ServiceSettings) -> Callable[[FastAPI], Any]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = db.Database(
            settings.database_url.get_secret_value(),
            parts.service,
            writers=settings.write_connections,
            readers=settings.read_connections,
            patience=settings.patience,
        )
        bus = Bus(settings.nats_url, parts.service)
        tables = infrastructure(parts.metadata)
        committed = asyncio.Event()
        writer = Writer(database, tables, committed.set)
        relay = Relay(parts.service, writer, bus, committed)
        app.state.database, app.state.writer, app.state.bus = database, writer, bus
        try:
            its_own = [] if parts.start is None else await parts.start(app)
            handlers = parts.handlers if isinstance(parts.handlers, EventHandlers) else parts.handlers(app)
            listener = app.state.listener = Listener(parts.service, writer, handlers, settings.sweep_every_s)
            loops: list[Loop] = [
                bus.keep_connected,
                relay.run,
                Consumer(bus, listener).run,
                listener.run_sweep,
                listener.run_retries,
                partial(_maintain, writer, settings.seal_every_s),
                partial(watch_loop, parts.service),
                *its_own,
            ]
            async with running(loops, parts.service):
                yield
        finally:
            await bus.close()
            await database.close()

    return lifespan


@contextlib.asynccontextmanager
async def running(loops: Sequence[Loop], name: str) -> AsyncIterator[None]:
    """Run loops beside the block; one that fails is logged and restarted, all are cancelled with the block."""
    tasks = [asyncio.create_task(_run_with_restarts(loop), name=f"{name}: {_called(loop)}") for loop in loops]
    try:
        yield
    finally:
        await cancel_all(set(tasks), END_S)


def _called(loop: Loop) -> str:
    inner = loop.func if isinstance(loop, partial) else loop
    return str(getattr(inner, "__qualname__", inner))


async def _run_with_restarts(loop: Loop) -> None:
    while True:
        try:
            await loop()
        except Exception as error:  # noqa: BLE001 - leases, events and sweeps must outlive whatever was not foreseen
            logger("app").error("a loop failed and is restarted", loop=_called(loop), exc_info=error)
            await asyncio.sleep(AGAIN_S)
        else:
            return


async def once_it_responds(write: Callable[[], Awaitable[None]], within_s: float = START_S) -> None:
    """Write what a service needs to start; repeat it while the database does not respond.

    Raises NO_RESPONSE if it still does not after `within_s` seconds.
    """
    until = time.monotonic() + within_s
    while True:
        try:
            await write()
        except NO_RESPONSE as error:
            if time.monotonic() > until:
                raise
            logger("app").warning("the start is waiting for the database", error=repr(error))
        else:
            return
        await asyncio.sleep(AGAIN_S)


async def at_the_end(close: Callable[[], Awaitable[None]]) -> None:
    """A loop that waits for the end of the service, and then closes something."""
    try:
        await asyncio.Event().wait()
    finally:
        await close()


async def _maintain(writer: Writer, every_s: float) -> None:
    """Chain audit rows within two seconds (of dead processes: a minute), and delete old keys once an hour."""
    done, look_at, forget_at = -1, 0.0, 0.0
    while True:
        now, commits = time.monotonic(), writer.commits.number
        try:
            if commits != done or now >= look_at:
                async with writer.database.begin() as session:
                    is_all = await insert_seals(session, writer.tables)
                done, look_at = (commits if is_all else -1), now + OTHERS_S
            if now >= forget_at:
                async with writer.begin() as tx:
                    await forget_old(tx)
                    await delete_old_removed_rows(tx.session, tx.tables)
                forget_at = now + FORGET_S
        except DATABASE_ERRORS as error:
            logger("app").info("maintenance is waiting for the database", error=str(error))
        await asyncio.sleep(every_s)


def _add_health(app: FastAPI) -> None:
    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        try:
            await request.app.state.database.ping()
        except DATABASE_ERRORS as error:
            raise Unavailable(f"The database does not respond: {type(error).__name__}.") from error
        bus: Bus = request.app.state.bus
        if bus.url is None:
            return JSONResponse({"status": "ok", "bus": "none"})
        # Without NATS all stays correct, only slower: requests must still be routed here.
        status, connection = ("ok", "connected") if bus.connected else ("degraded", "away")
        return JSONResponse({"status": status, "bus": connection})

    app.add_route("/health/live", live, include_in_schema=False)
    app.add_route("/health/ready", ready, include_in_schema=False)
    app.add_route("/metrics", metrics, include_in_schema=False)

"""The application of registry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI

from libs.common.app import Loop, Parts, create_app, once_it_responds
from libs.common.catalogue import Service
from libs.common.storage import store_of
from services.registry.domain.exports import ExportLimits
from services.registry.domain.holdings import Policy
from services.registry.events import handlers_with
from services.registry.models import Base
from services.registry.operations.cache_tables import CacheTables
from services.registry.operations.central_store import CentralStore
from services.registry.operations.datajoint import keep_tables
from services.registry.operations.exports import ExportZips
from services.registry.operations.release_reads import ReadLog, keep_log
from services.registry.operations.release_zips import ReleaseZips
from services.registry.operations.undoables import UNDOABLES
from services.registry.operations.vocabularies import load_vocabularies
from services.registry.operations.zip_contents import ZipCache
from services.registry.operations.zip_stream import Checksums
from services.registry.routes import routers
from services.registry.settings import Settings


async def _start(app: FastAPI) -> Sequence[Loop]:
    state, zips = app.state, ZipCache()
    state.export_zips = ExportZips(state.database, zips, state.central.kind)
    state.release_zips = ReleaseZips(
        state.database, state.writer, zips, state.export_limits, state.central.kind
    )

    async def write() -> None:
        async with app.state.writer.begin() as tx:
            await load_vocabularies(tx)

    await once_it_responds(write)
    settings: Settings = app.state.settings
    loops: list[Loop] = [partial(keep_log, app.state.reads, app.state.writer, settings.release_reads_days)]
    if every_s := settings.datajoint_every_s:
        loops.append(partial(keep_tables, app.state.writer, app.state.central, every_s))
    return loops


def build(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings come from the environment by default."""
    settings = settings or Settings()
    central = CentralStore(settings.store_kind, signs=settings.s3_public_endpoint is not None)
    handlers = handlers_with(central, creates_types=settings.create_dataset_types)
    parts = Parts(Service.REGISTRY, routers, Base.metadata, handlers, _start, UNDOABLES)
    app = create_app(parts, settings)
    app.state.central, app.state.tables = central, CacheTables()
    app.state.creates_types = settings.create_dataset_types
    app.state.release_copies = settings.release_copies
    app.state.policy = Policy(settings.retire_copies, proof_days=settings.retire_proof_days)
    app.state.export_limits = ExportLimits(settings.export_days, settings.export_files, settings.export_bytes)
    app.state.checksums, app.state.reads = Checksums(), ReadLog()
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def with_store(app: FastAPI) -> AsyncIterator[Any]:
        central.opened = await store_of(settings)
        try:
            async with inner(app) as state:
                yield state
                await app.state.checksums.close()
                await app.state.reads.write(app.state.writer)
        finally:
            await central.opened.close()

    app.router.lifespan_context = with_store
    return app

"""The application of compressor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fastapi import FastAPI

from libs.common.app import Loop, Parts, at_the_end, create_app
from libs.common.catalogue import Service
from libs.common.db.transaction import Writer
from libs.common.storage import store_of
from services.compressor.events import handlers
from services.compressor.models import Base
from services.compressor.operations import Indexer, Shelf
from services.compressor.routes import router
from services.compressor.settings import Settings


async def _start(app: FastAPI) -> Sequence[Loop]:
    settings: Settings = app.state.settings
    app.state.shelf = Shelf(await store_of(settings), settings.decoders)
    writer: Writer = app.state.writer
    # A writer of its own: what the indexer commits must not wake it again.
    indexer = Indexer(
        writer.another(), app.state.shelf, settings.index_every_s, prove=settings.prove_recordings
    )
    writer.committed = lambda _tx: indexer.poke()
    return [indexer.run, partial(at_the_end, app.state.shelf.store.close)]


def build(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings come from the environment unless given."""
    parts = Parts(Service.COMPRESSOR, [router], Base.metadata, handlers, _start)
    return create_app(parts, settings or Settings())

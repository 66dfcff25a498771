"""The application of compressor."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from fastapi import FastAPI

from libs.common.app import Loop, Parts, at_the_end, create_app
from libs.common.catalogue import Service
from libs.common.storage import store_of
from services.compressor.events import handlers_with
from services.compressor.models import Base
from services.compressor.operations.indexer import Indexer
from services.compressor.operations.slice_cache import SliceCache
from services.compressor.operations.zarr import DecodedBlocks
from services.compressor.routes import routers
from services.compressor.settings import Settings


async def _start(woken: asyncio.Event, app: FastAPI) -> Sequence[Loop]:
    settings: Settings = app.state.settings
    cache = app.state.slice_cache = SliceCache(await store_of(settings), settings.decoders)
    app.state.decoded_blocks = DecodedBlocks(settings.zarr_cache_bytes)
    indexer = Indexer(
        app.state.writer, cache, woken, every_s=settings.index_every_s, prove=settings.prove_recordings
    )
    return [indexer.run, partial(at_the_end, cache.store.close)]


def build(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings default to those of the environment."""
    woken = asyncio.Event()  # the indexer
    parts = Parts(
        Service.COMPRESSOR, routers, Base.metadata, handlers_with(woken.set), partial(_start, woken)
    )
    return create_app(parts, settings or Settings())

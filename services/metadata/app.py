"""The application of metadata."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fastapi import FastAPI

from libs.common.app import Loop, Parts, create_app
from libs.common.catalogue import Service
from services.metadata.events import hears
from services.metadata.models import Base
from services.metadata.operations.identity import make_first_administrator, tokens_used
from services.metadata.operations.vocabulary import load_vocabularies
from services.metadata.routes import routers
from services.metadata.settings import Settings


async def _start(app: FastAPI) -> Sequence[Loop]:
    settings: Settings = app.state.settings
    if settings.admin_username and settings.admin_password:
        async with app.state.writer.begin() as tx:
            await make_first_administrator(
                tx, settings.admin_username, settings.admin_password.get_secret_value()
            )
    async with app.state.writer.begin() as tx:
        await load_vocabularies(tx)

    async def used(told: bytes) -> None:
        async with app.state.writer.begin() as tx:
            await tokens_used(tx, told)

    return [partial(app.state.bus.on_wake, "token.used", used)]


def build(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings come from the environment unless given."""
    parts = Parts(Service.METADATA, routers, Base.metadata, hears, _start)
    return create_app(parts, settings or Settings())

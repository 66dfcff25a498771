"""The application of metadata."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fastapi import FastAPI

from libs.common.app import Loop, Parts, at_the_end, create_app, once_it_responds
from libs.common.catalogue import Service
from libs.common.db import Database
from libs.common.db.transaction import Writer
from libs.common.storage import store_of
from services.metadata.adapters.oidc import Provider
from services.metadata.events import handlers
from services.metadata.models import Base
from services.metadata.operations.hashing import PasswordHashing
from services.metadata.operations.pictures import Pictures
from services.metadata.operations.sign_in import SignIns, delete_old_sign_ins
from services.metadata.operations.tokens import update_last_used
from services.metadata.operations.undoables import UNDOABLES
from services.metadata.operations.users import create_first_administrator
from services.metadata.operations.vocabularies import load_vocabularies
from services.metadata.routes import routers
from services.metadata.settings import Settings


async def _write_first_rows(writer: Writer, sign_ins: SignIns, settings: Settings) -> None:
    if settings.admin_username and settings.admin_password:
        async with writer.begin() as tx:
            await create_first_administrator(
                tx, sign_ins.hashing, settings.admin_username, settings.admin_password.get_secret_value()
            )
    async with writer.begin() as tx:
        await load_vocabularies(tx)


async def _start(app: FastAPI) -> Sequence[Loop]:
    settings: Settings = app.state.settings
    sign_ins = app.state.sign_ins = _sign_ins(app, settings)
    await once_it_responds(partial(_write_first_rows, app.state.writer, sign_ins, settings))

    async def tokens_used(payload: bytes) -> None:
        async with app.state.writer.begin() as tx:
            await update_last_used(tx, payload)

    provider = app.state.oidc = Provider(settings)

    async def close() -> None:
        await provider.close()
        sign_ins.hashing.close()
        await sign_ins.writer.database.close()

    pictures = app.state.pictures = Pictures(
        app.state.writer, await store_of(settings, "pictures"), settings.picture_queue
    )
    return [
        partial(pictures.sweep, settings.picture_sweep_every_s),
        partial(at_the_end, pictures.close),
        partial(app.state.bus.on_wake, "token.used", tokens_used),
        partial(delete_old_sign_ins, sign_ins.writer),
        partial(at_the_end, close),
    ]


def _sign_ins(app: FastAPI, settings: Settings) -> SignIns:
    own = Database(
        settings.database_url.get_secret_value(),
        Service.METADATA,
        writers=2,
        readers=2,
        patience=settings.patience,
    )
    writer: Writer = app.state.writer
    return SignIns(
        writer.another(own),
        PasswordHashing(settings.password_threads, settings.password_queue),
        settings.secret_key.get_secret_value(),
    )


def build(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings come from the environment unless given."""
    parts = Parts(Service.METADATA, routers, Base.metadata, handlers, _start, UNDOABLES)
    return create_app(parts, settings or Settings())

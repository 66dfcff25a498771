"""A process that uploads a file or a bundle, and kills itself before its nth step."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.support.bytes import random_bytes, sha256
from tests.support.crashing import Steps

if TYPE_CHECKING:
    from libs.common.permissions import Principal
    from services.transfer.operations.upload_context import UploadContext

PART = 8 * 2**20


def watch(steps: Steps) -> None:
    """Count statements, commits, and the system calls that make bytes durable or visible."""
    steps.watch()

    def stepping(original: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **kwargs: Any) -> Any:
            steps.step()
            return original(*args, **kwargs)

        return stepped

    for name in ("fsync", "link"):
        setattr(os, name, stepping(getattr(os, name)))
    for name in ("replace", "unlink"):
        setattr(Path, name, stepping(getattr(Path, name)))


async def streamed(data: bytes) -> AsyncIterator[bytes]:
    """The data as a stream."""
    yield data


def contents(n: int) -> bytes:
    """The content of a file of two parts; another one for each n."""
    return random_bytes(PART + 100, seed=n)


def small_files(n: int) -> list[bytes]:
    """The files of a bundle; other ones for each n."""
    return [b"%d of %d" % (i, n) for i in range(3)]


def send_nth(environment: Mapping[str, str], user: str, kind: str, n: int, fatal: int) -> None:
    """Send the nth file or bundle; parts acknowledged to an earlier process are not sent again."""
    asyncio.run(_send_nth(environment, UUID(user), kind, n, Steps(fatal)))


async def _send_nth(environment: Mapping[str, str], user: UUID, kind: str, n: int, steps: Steps) -> None:
    from starlette.requests import Request

    from cingulum.stores import StoreKind
    from libs.common.db import Database, Once
    from libs.common.db.tables import infrastructure
    from libs.common.db.transaction import Writer
    from libs.common.permissions import Principal
    from libs.common.schemas.bundles import BundledIn
    from libs.common.scopes import Permission, Scope
    from libs.common.storage import LocalStore
    from services.transfer.models import Base
    from services.transfer.operations.bundles import land_bundle
    from services.transfer.operations.upload_context import UploadContext

    database = Database(environment["CINGULUM_TRANSFER_DATABASE_URL"], "transfer")
    writer = Writer(database, infrastructure(Base.metadata), lambda: None)
    store = LocalStore(Path(environment["CINGULUM_HOME"]) / "store")
    by = Principal(user, "agent", scopes=frozenset({Scope(Permission.TRANSFER)}))
    context = UploadContext(writer, database, store, StoreKind.LOCAL, wait_s=60)
    async with database.read() as session:  # connect before the first step is counted
        await session.connection()
    watch(steps)
    if kind == "bundle":
        files = [BundledIn(size_bytes=len(f), sha256=sha256(f), name=str(n)) for f in small_files(n)]
        without_key = Once(
            Request({"type": "http", "method": "POST", "path": "/bundles", "headers": []}), b""
        )
        await land_bundle(context, by, files, streamed(b"".join(small_files(n))), without_key)
    else:
        await _send(context, by, contents(n), str(n))
    await context.close()
    await database.close()


async def _send(context: UploadContext, by: Principal, data: bytes, name: str) -> None:
    from libs.common.schemas.pages import PageRequest
    from libs.common.schemas.uploads import UploadIn
    from services.transfer.domain import missing_parts
    from services.transfer.operations import parts, uploads
    from services.transfer.queries.list_filters import UploadFilters
    from services.transfer.queries.uploads import list_uploads

    async with context.database.read() as session:
        _, records = await list_uploads(session, by, UploadFilters(), PageRequest())
    begun = [record.upload for record in records if record.name == name]
    if begun:
        upload = begun[0]
    else:
        async with context.writer.begin(by) as tx:
            announced = UploadIn(size_bytes=len(data), name=name)
            upload = (await uploads.open_upload(tx, context, announced, by)).upload
    upload = (await uploads.read_upload(context, upload.id, by)).upload
    for number in missing_parts(upload):
        piece = data[number * PART : (number + 1) * PART]
        await parts.receive_part(context, by, upload.id, number, streamed(piece), sha256(piece))
    _, is_done = await uploads.complete_upload(context, by, upload.id, sha256(data))
    assert is_done

"""The data server: files of the central store under their ONE names, with the dataset's UUID in the name or without."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import FileResponse, RedirectResponse, StreamingResponse

from libs.common.attachments import attachment
from libs.common.auth import Needs
from libs.common.db import Reading
from libs.common.http import byte_range, matches_etag
from libs.common.observability import logger
from libs.common.permissions import Principal
from libs.common.problem import NotAuthenticated, NotFound
from libs.common.scopes import Permission
from libs.common.storage import ObjectMissing, Store
from libs.common.visibility import visibility
from services.registry.operations.proofs import Shelf
from services.registry.queries.data_paths import sha256_at

router = APIRouter(tags=["data"])
HEAVY_BYTES = 8 * 2**20  # smaller files are not worth a second connection, and pages read them through us


class AskForPassword(NotAuthenticated):
    """401 and not 403: who fetches files by plain HTTP sends the password only when asked by this challenge."""

    status = 401
    slug = "password-wanted"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Basic realm="Cingulum", charset="UTF-8"'})


class NeedsOrAsks(Needs):
    """As `requires`, but a stranger is asked for a name and a password (or a token in its place)."""

    async def __call__(self, request: Request) -> Principal:
        if getattr(request.state, "principal", None) is None:
            raise AskForPassword
        return await super().__call__(request)


class WholeFile(FileResponse):
    """A file, or the ranges of it that are asked for; in steps long enough to pay for the hop to a thread."""

    chunk_size: ClassVar[int] = 1024 * 1024  # type: ignore[misc]


Reader = Annotated[Principal, Depends(NeedsOrAsks(Permission.READ))]


@router.api_route("/data/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def serve(path: str, request: Request, read: Reading, by: Reader) -> Response:
    """The newest version of a dataset, if our store holds it verified. Range, ETag and HEAD as HTTP has them."""
    shelf: Shelf = request.app.state.shelf
    sha256 = await sha256_at(read, visibility(by), path, shelf.kind)
    if sha256 is None:
        raise NotFound("There is no such file here.")
    # What a path shows may change with the next version; its bytes are known by their hash.
    headers = {
        "ETag": f'"{sha256}"',
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
        "Repr-Digest": f"sha-256=:{_base64(sha256)}:",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": attachment(path.rpartition("/")[2]),
    }
    if matches_etag(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    try:
        stat = await shelf.store.stat(sha256)
    except ObjectMissing:
        logger("registry").error("a verified copy is not in the store", sha256=sha256, path=path)
        raise NotFound("This file is registered, but its bytes are missing from the store.") from None
    if stat.path is not None:
        return WholeFile(stat.path, headers=headers, media_type="application/octet-stream")
    if request.method == "GET" and shelf.signs and stat.size_bytes >= HEAVY_BYTES:
        return await _elsewhere(shelf.store, sha256, path)
    return _streamed(request, shelf.store, sha256, stat.size_bytes, headers)


async def _elsewhere(store: Store, sha256: str, path: str) -> Response:
    """A redirect to the object itself, good for a few minutes: heavy bytes, and ranges of them, are S3's to serve."""
    address = await store.signed_url(sha256, path.rpartition("/")[2])
    if address is None:
        raise RuntimeError("a store that signs has no address for its object")
    return RedirectResponse(address, status_code=302, headers={"Cache-Control": "private, no-store"})


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _streamed(
    request: Request, store: Store, sha256: str, size_bytes: int, headers: dict[str, str]
) -> Response:
    """Bytes of a store that has no local files; one range at most."""
    start, stop = 0, size_bytes
    is_same = request.headers.get("if-range") in {None, headers["ETag"]}
    if is_same and (span := byte_range(request.headers.get("range"), size_bytes)):
        start, stop = span
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size_bytes}"
    headers["Content-Length"] = str(stop - start)

    async def chunks() -> AsyncIterator[bytes]:
        if request.method == "HEAD":
            return
        async with store.open(sha256, start, stop) as reading:
            async for chunk in reading.chunks:
                yield chunk

    status = 206 if "Content-Range" in headers else 200
    return StreamingResponse(chunks(), status, headers, media_type="application/octet-stream")

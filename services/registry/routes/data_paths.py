"""The data server: files of the central store under their ONE names, with or without the dataset's UUID."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import FileResponse, RedirectResponse

from libs.common.attachments import attachment
from libs.common.auth import Needs
from libs.common.db import Reading
from libs.common.http import OCTETS, REVALIDATED, not_modified, ranged_response
from libs.common.observability import logger
from libs.common.permissions import Principal
from libs.common.problem import NotAuthenticated, NotFound
from libs.common.scopes import Permission
from libs.common.storage import ObjectMissing, Store
from libs.common.visibility import visibility
from services.registry.domain.release_reads import is_sent, reads_outside
from services.registry.operations.central_store import CentralStore
from services.registry.queries.data_paths import find_version_at

router = APIRouter(tags=["data"])
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
HEAVY_BYTES = 8 * 2**20  # smaller files are not worth a second connection, and pages read them through us


class PasswordRequired(NotAuthenticated):
    """The data server needs a password. 401 and not 403: HTTP clients send a password only after this challenge."""

    status = 401
    slug = "password-wanted"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Basic realm="Cingulum", charset="UTF-8"'})


class NeedsOrChallenges(Needs):
    """As `requires`, but an anonymous request is challenged for a name and a password (or a token as password)."""

    async def __call__(self, request: Request) -> Principal:
        if getattr(request.state, "principal", None) is None:
            raise PasswordRequired
        return await super().__call__(request)


class WholeFile(FileResponse):
    """A file or ranges of it, in chunks large enough to be worth a thread switch each."""

    chunk_size: ClassVar[int] = 1024 * 1024  # type: ignore[misc]


Reader = Annotated[Principal, Depends(NeedsOrChallenges(Permission.READ))]


@router.api_route("/data/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def serve(path: str, request: Request, session: Reading, by: Reader) -> Response:
    """Serve the newest version of a dataset, if our store has a verified copy; with Range, ETag and HEAD."""
    central: CentralStore = request.app.state.central
    version = await find_version_at(session, visibility(by), path, central.kind)
    if version is None:
        raise NotFound("There is no such file.")
    response = await respond_with_object(request, central, version.sha256, path)
    if is_sent(request.method, response.status_code):
        request.app.state.reads.add(reads_outside(by, [(version.dataset_id, version.generation)]))
    return response


async def respond_with_object(
    request: Request,
    central: CentralStore,
    sha256: str,
    path: str,
    more_headers: Mapping[str, str] = NO_HEADERS,
) -> Response:
    """The bytes of an object of the central store, which are those of a file at `path`; with Range, ETag and HEAD."""
    # The content of a path may change with the next version; its bytes are identified by their hash.
    headers = {
        **REVALIDATED,
        "ETag": f'"{sha256}"',
        "Accept-Ranges": "bytes",
        "Repr-Digest": f"sha-256=:{_base64(sha256)}:",
        "Content-Disposition": attachment(path.rpartition("/")[2]),
        **more_headers,
    }
    if unchanged := not_modified(request.headers.get("if-none-match"), headers):
        return unchanged
    try:
        stat = await central.store.stat(sha256)
    except ObjectMissing:
        logger("registry").error("a verified copy is not in the store", sha256=sha256, path=path)
        raise NotFound("This file is registered, but its bytes are missing from the store.") from None
    if stat.path is not None:
        return WholeFile(stat.path, headers=headers, media_type=OCTETS)
    if request.method == "GET" and central.signs and stat.size_bytes >= HEAVY_BYTES:
        return await _redirect(central.store, sha256, path, more_headers)
    return ranged_response(request, stat.size_bytes, headers, partial(_stream, central.store, sha256))


async def _redirect(store: Store, sha256: str, path: str, more_headers: Mapping[str, str]) -> Response:
    """A redirect to the object itself, valid for a few minutes: S3 serves large files and ranges of them."""
    url = await store.signed_url(sha256, path.rpartition("/")[2])
    if url is None:
        raise RuntimeError("the store has no signed URL for an object")
    headers = {**more_headers, "Cache-Control": "private, no-store"}
    return RedirectResponse(url, status_code=302, headers=headers)


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


async def _stream(store: Store, sha256: str, start: int, stop: int) -> AsyncIterator[bytes]:
    """Bytes of a store that has no local files."""
    async with store.open(sha256, start, stop) as stream:
        async for chunk in stream.chunks:
            yield chunk

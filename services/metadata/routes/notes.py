"""Notes on records, and their pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import FormRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.http import REVALIDATED, not_modified, ranged_response
from libs.common.observability import logger
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.notes import Note, NoteIn
from libs.common.schemas.pages import Paging
from libs.common.storage import ObjectMissing, Store
from services.metadata.domain.pictures import CONTENT_TYPES, parse_width
from services.metadata.operations import notes as operations
from services.metadata.operations.pictures import PictureQueueFull, Pictures, StoredPicture
from services.metadata.queries import notes as queries
from services.metadata.queries.list_filters.notes import NoteFilters

router = APIRouter(route_class=FormRoute, tags=["notes"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(
    BadRequest, Forbidden, Conflict, NotFound, PictureQueueFull
)
_FORM: Final = {
    "requestBody": {
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        **{
                            name: {"type": "string"}
                            for name in ("user", "date_time", "content_type", "object_id")
                        },
                        **{name: {"type": "string"} for name in ("text", "width", "json")},
                        "image": {"type": "string", "format": "binary"},
                    },
                }
            }
        }
    }
}


async def _picture(request: Request) -> StoredPicture | None:
    """The picture of a form, decoded and stored before the transaction begins: that may take seconds."""
    file = request.state.files.get("image")
    if file is None:
        return None
    pictures: Pictures = request.app.state.pictures
    width = parse_width(request.state.fields.get("width"))
    return await pictures.add(await file.read(), file.filename or "", width)


SentPicture = Annotated[StoredPicture | None, Depends(_picture)]


@router.get("/notes")
async def list_notes(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[NoteFilters, Query()],
) -> Page[Note]:
    """List notes, newest first."""
    base_url = absolute(request, "")
    count, notes = await queries.list_notes(session, visibility, filters, paging, base_url)
    return page(request, paging, count, notes)


@router.post("/notes", status_code=201, responses=REFUSALS, openapi_extra=_FORM)
async def create_note(
    request: Request, picture: SentPicture, new: NoteIn, by: Editor, visibility: Sees, tx: Tx
) -> Note:
    """Create a note on a record; multipart/form-data may have a picture."""
    parse_width(new.width)
    return await operations.create_note(tx, by, visibility, new, picture, absolute(request, ""))


@router.get("/notes/{note_id}", responses=problems(NotFound))
async def read_note(request: Request, note_id: UUID, visibility: Sees, session: Reading) -> Note:
    """Read a note."""
    return await queries.fetch_note(session, visibility, note_id, absolute(request, ""))


@router.put("/notes/{note_id}", responses=REFUSALS, openapi_extra=_FORM)
@router.patch("/notes/{note_id}", responses=REFUSALS, openapi_extra=_FORM)
async def update_note(
    request: Request, picture: SentPicture, note_id: UUID, body: NoteIn, by: Editor, visibility: Sees, tx: Tx
) -> Note:
    """Update a note; absent fields keep their value."""
    parse_width(body.width)
    base_url = absolute(request, "")
    return await operations.update_note(tx, by, visibility, note_id, body, picture, base_url)


@router.delete("/notes/{note_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_note(note_id: UUID, by: Editor, visibility: Sees, tx: Tx, options: Deleting) -> Response:
    """Delete (soft) a note; undo within 30 days."""
    return deleted(
        options, await operations.delete_note(tx, by, visibility, note_id, dry_run=options.dry_run)
    )


@router.api_route("/uploaded/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def serve_picture(path: str, request: Request, visibility: Sees, session: Reading) -> Response:
    """Serve the picture of a note; with Range, ETag and HEAD."""
    sha256 = await queries.find_picture(session, visibility, path)
    if sha256 is None:
        raise NotFound("There is no such picture.")
    headers = {
        **REVALIDATED,
        "ETag": f'"{sha256}"',
        "Content-Type": CONTENT_TYPES[path.rpartition(".")[2]],
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if unchanged := not_modified(request.headers.get("if-none-match"), headers):
        return unchanged
    pictures: Pictures = request.app.state.pictures
    try:
        stat = await pictures.store.stat(sha256)
    except ObjectMissing:
        logger("metadata").error("the picture of a note is not in the store", sha256=sha256, path=path)
        raise NotFound("The bytes of this picture are missing from the store.") from None
    return ranged_response(request, stat.size_bytes, headers, partial(_stream, pictures.store, sha256))


async def _stream(store: Store, sha256: str, start: int, stop: int) -> AsyncIterator[bytes]:
    async with store.open(sha256, start, stop) as stream:
        async for chunk in stream.chunks:
            yield chunk

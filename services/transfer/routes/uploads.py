"""Files announced, looked at, ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.common.auth import Mover
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import bad, paged, uuid_of, words
from libs.common.problem import BadRequest, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.states import UploadState
from libs.common.schemas.uploads import Upload, UploadIn, WholeIn
from services.transfer import domain, queries
from services.transfer.models import UploadRow
from services.transfer.operations import uploads as operations
from services.transfer.routes.bodies import dock_of

router = APIRouter(route_class=IdempotentRoute, tags=["uploads"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, domain.LateToken)
ENDS = problems(NotFound, domain.PartMissing, domain.HashDiffers, domain.UploadSwept)
STILL_READING: dict[int | str, dict[str, Any]] = {
    202: {"model": Upload, "description": "Still being read: ask again."}
}


def shown(row: UploadRow, upload: domain.Upload) -> Upload:
    """An upload as its sender sees it."""
    return Upload(
        id=row.id,
        state=UploadState(row.state),
        name=row.name,
        size_bytes=row.size_bytes,
        part_bytes=row.part_bytes,
        part_count=domain.part_count(upload),
        missing=domain.missing_parts(upload),
        sha256=row.sha256,
        md5=row.md5,
        copy_id=row.copy_id,
        job_id=row.job_id,
        token=row.token,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )


@router.get("/uploads")
async def list_uploads(
    request: Request,
    by: Mover,
    read: Reading,
    wanted: Paging,
    state: str | None = None,
    copy_id: str | None = None,
) -> Page[Upload]:
    """The caller's own uploads, newest first; `state` may be several, with commas."""
    for one in words("state", state or ""):
        if one not in set(UploadState):
            raise bad("state", f"'{one}' is not one of {', '.join(UploadState)}.")
    statement = queries.listed(
        by, words("state", state or ""), uuid_of("copy_id", copy_id) if copy_id else None
    )
    count, found = await paged(read, statement, wanted)
    rows = [UploadRow(**row) for row in found]
    held = await queries.parts(read, [row.id for row in rows if row.state == UploadState.ARRIVING])
    return page(
        request, wanted, count, [shown(row, queries.value(row, held.get(row.id, {}))) for row in rows]
    )


@router.post("/uploads", status_code=201, responses=REFUSALS)
async def open_upload(request: Request, new: UploadIn, by: Mover, tx: Tx) -> Upload:
    """Announce a file; the answer tells which parts are wanted, none if its bytes are known."""
    return shown(*await operations.open_upload(tx, dock_of(request), new, by))


@router.get("/uploads/{upload_id}", responses=problems(NotFound))
async def read_upload(request: Request, upload_id: UUID, by: Mover) -> Upload:
    """What of a file is here, and which parts are still wanted."""
    return shown(*await operations.show(dock_of(request), upload_id, by))


@router.post("/uploads/{upload_id}/complete", responses=ENDS | STILL_READING)
async def complete_upload(
    request: Request, response: Response, upload_id: UUID, whole: WholeIn, by: Mover
) -> Upload:
    """All parts are sent: every byte is read, and the file has landed if it hashes to what is said.

    A long read is answered with 202 meanwhile; the same request later tells how it went.
    """
    found, is_done = await operations.complete(dock_of(request), by, upload_id, whole.sha256)
    if not is_done:
        response.status_code = 202
        response.headers["Retry-After"] = "2"
    return shown(*found)

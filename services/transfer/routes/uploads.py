"""Routes of uploads: announce, list, read, complete."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Mover
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Forbidden, LateToken, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.uploads import Upload, UploadIn, WholeIn
from services.transfer import domain
from services.transfer.operations import uploads as operations
from services.transfer.queries import uploads as queries
from services.transfer.queries.list_filters import UploadFilters
from services.transfer.queries.uploads import UploadRecord
from services.transfer.routes.bodies import upload_context_of

router = APIRouter(route_class=IdempotentRoute, tags=["uploads"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, LateToken)
ENDS = problems(NotFound, domain.PartMissing, domain.HashDiffers, domain.UploadSwept)
STILL_READING: dict[int | str, dict[str, Any]] = {
    202: {"model": Upload, "description": "Still being read: repeat the request."}
}


def shown(record: UploadRecord) -> Upload:
    """An upload as its owner sees it."""
    upload = record.upload
    return Upload(
        id=upload.id,
        state=upload.state,
        name=record.name,
        size_bytes=upload.size_bytes,
        part_bytes=upload.part_bytes,
        part_count=domain.part_count(upload),
        missing=domain.missing_parts(upload),
        sha256=upload.sha256,
        md5=record.md5,
        copy_id=upload.copy_id,
        job_id=upload.job_id,
        token=upload.token,
        created_at=record.created_at,
        completed_at=record.completed_at,
    )


@router.get("/uploads")
async def list_uploads(
    request: Request,
    by: Mover,
    session: Reading,
    paging: Paging,
    filters: Annotated[UploadFilters, Query()],
) -> Page[Upload]:
    """List the caller's own uploads, newest first."""
    count, records = await queries.list_uploads(session, by, filters, paging)
    return page(request, paging, count, [shown(record) for record in records])


@router.post("/uploads", status_code=201, responses=REFUSALS)
async def open_upload(request: Request, new: UploadIn, by: Mover, tx: Tx) -> Upload:
    """Announce a file. The response lists the parts to send; none if the bytes are already stored."""
    return shown(await operations.open_upload(tx, upload_context_of(request), new, by))


@router.get("/uploads/{upload_id}", responses=problems(NotFound))
async def read_upload(request: Request, upload_id: UUID, by: Mover) -> Upload:
    """Read an upload and the parts still to be sent."""
    return shown(await operations.read_upload(upload_context_of(request), upload_id, by))


@router.post("/uploads/{upload_id}/complete", responses=ENDS | STILL_READING)
async def complete_upload(
    request: Request, response: Response, upload_id: UUID, whole: WholeIn, by: Mover
) -> Upload:
    """Complete an upload. All bytes are read; it lands if their SHA-256 is that of the request.

    While the bytes are still being read the status is 202: repeat the request.
    """
    context = upload_context_of(request)
    record, is_done = await operations.complete_upload(context, by, upload_id, whole.sha256)
    if not is_done:
        response.status_code = 202
        response.headers["Retry-After"] = "2"
    return shown(record)

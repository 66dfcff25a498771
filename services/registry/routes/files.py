"""File records: copies of datasets' current versions."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Registrar, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.files.files import FileRecord, FileRecordIn
from libs.common.schemas.pages import Paging
from services.registry.domain.alyx_calls import ProvedCopy
from services.registry.domain.holdings import Policy
from services.registry.domain.retirement import MayNotRetire
from services.registry.operations import files as operations
from services.registry.queries import files as queries
from services.registry.queries.list_filters.files import FileFilters
from services.registry.routes.shapes import file_record

router = APIRouter(route_class=IdempotentRoute, tags=["datasets"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/files", responses=problems(BadRequest))
async def list_files(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[FileFilters, Query()],
) -> Page[FileRecord]:
    """List file records of current versions, newest first."""
    conditions = filters.conditions(visibility)
    count, rows = await queries.list_files(session, visibility, conditions, paging)
    return page(request, paging, count, [file_record(request, row) for row in rows])


@router.post("/files", status_code=201, responses=REFUSALS)
async def create_file(
    request: Request, new: FileRecordIn, by: Registrar, visibility: Sees, tx: Tx
) -> FileRecord:
    """Create the record of a dataset in another repository that has it, or will have it."""
    return file_record(request, await operations.create_file(tx, by, visibility, new))


@router.get("/files/{file_id}", responses=problems(NotFound))
async def read_file(request: Request, file_id: UUID, visibility: Sees, session: Reading) -> FileRecord:
    """Read a file record."""
    return file_record(request, await operations.read_file(session, visibility, file_id))


@router.put("/files/{file_id}", responses=REFUSALS | problems(Forbidden, ProvedCopy))
@router.patch("/files/{file_id}", responses=REFUSALS | problems(Forbidden, ProvedCopy))
async def update_file(
    request: Request, file_id: UUID, body: FileRecordIn, by: Registrar, visibility: Sees, tx: Tx
) -> FileRecord:
    """Set whether a file exists; if its bytes can be read, they are then verified.

    A verified copy can be marked as missing only by callers who may retire it (`transfer` in its lab) and by the agent
    of its repository; a change of `json` alone does not affect the proof.
    """
    return file_record(request, await operations.update_file(tx, by, visibility, file_id, body))


@router.delete("/files/{file_id}", status_code=204, responses=REFUSALS | problems(MayNotRetire) | DELETED)
async def delete_file(
    request: Request, file_id: UUID, by: Registrar, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Retire a copy, if enough verified copies remain: see /copies/{id}/retirement."""
    policy: Policy = request.app.state.policy
    deletion = await operations.delete_file(tx, by, visibility, file_id, policy, dry_run=options.dry_run)
    return deleted(options, deletion)

"""Notices on datasets."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Registrar, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.problem import BadRequest, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.files.data_notices import DataNotice, DataNoticeIn
from libs.common.schemas.pages import Paging
from services.registry.operations import data_notices as operations
from services.registry.queries import data_notices as queries
from services.registry.queries.data_notice_list_filters import DataNoticeFilters

router = APIRouter(route_class=IdempotentRoute, tags=["data notices"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, NotFound)


@router.get("/data-notices", responses=problems(BadRequest))
async def list_notices(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[DataNoticeFilters, Query()],
) -> Page[DataNotice]:
    """List data notices, most important first."""
    count, notices = await queries.list_notices(session, visibility, filters, paging)
    return page(request, paging, count, notices)


@router.post("/data-notices", status_code=201, responses=REFUSALS)
async def create_notice(new: DataNoticeIn, by: Registrar, visibility: Sees, tx: Tx) -> DataNotice:
    """Create a data notice."""
    return await operations.create_notice(tx, by, visibility, new)


@router.get("/data-notices/{notice_id}", responses=problems(NotFound))
async def read_notice(notice_id: UUID, visibility: Sees, session: Reading) -> DataNotice:
    """Read a data notice."""
    return await queries.fetch_notice(session, visibility, notice_id)


@router.put("/data-notices/{notice_id}", responses=REFUSALS)
@router.patch("/data-notices/{notice_id}", responses=REFUSALS)
async def update_notice(
    notice_id: UUID, body: DataNoticeIn, by: Registrar, visibility: Sees, tx: Tx
) -> DataNotice:
    """Update a data notice; absent fields keep their value."""
    return await operations.update_notice(tx, by, visibility, notice_id, body)


@router.delete("/data-notices/{notice_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_notice(
    notice_id: UUID, by: Registrar, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Delete (soft) a data notice; undo within 30 days."""
    return deleted(
        options, await operations.delete_notice(tx, by, visibility, notice_id, dry_run=options.dry_run)
    )

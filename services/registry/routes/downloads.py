"""Counters of downloads."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from libs.common.auth import Editor, Reader, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.files.downloads import Download, DownloadIn, DownloadsCounted, NewDownload
from libs.common.schemas.ids import parse_field_id
from libs.common.schemas.pages import Paging
from services.registry.domain.downloads import owner_of_counters
from services.registry.operations import downloads as operations
from services.registry.queries import downloads as queries
from services.registry.queries.list_filters.downloads import DownloadFilters

router = APIRouter(route_class=IdempotentRoute, tags=["downloads"])


@router.post("/new-download", status_code=201, responses=problems(BadRequest, Forbidden))
async def new_download(request: NewDownload, by: Editor, visibility: Sees, tx: Tx) -> DownloadsCounted:
    """Count one more download of each dataset; read-only tokens and public readers cannot count."""
    dataset_ids = [parse_field_id("datasets", text) for text in request.datasets]
    return await operations.count_downloads(tx, by, visibility, request, dataset_ids)


@router.get("/downloads", responses=problems(BadRequest))
async def list_downloads(
    request: Request,
    by: Reader,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[DownloadFilters, Query()],
) -> Page[Download]:
    """List download counters, highest first; administrators see those of all users."""
    conditions, owner_id = filters.conditions(visibility), owner_of_counters(by)
    count, rows = await queries.list_downloads(session, visibility, owner_id, conditions, paging)
    return page(request, paging, count, rows)


@router.get("/downloads/{download_id}", responses=problems(NotFound))
async def read_download(download_id: UUID, by: Reader, visibility: Sees, session: Reading) -> Download:
    """Read a download counter."""
    return await operations.read_download(session, by, visibility, download_id)


@router.put("/downloads/{download_id}", responses=problems(NotFound))
@router.patch("/downloads/{download_id}", responses=problems(NotFound))
async def update_download(
    download_id: UUID, body: DownloadIn, by: Editor, visibility: Sees, tx: Tx
) -> Download:
    """Update a download counter."""
    return await operations.update_download(tx, by, visibility, download_id, body)

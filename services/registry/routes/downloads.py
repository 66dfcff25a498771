"""Counters of downloads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.auth import Editor, Reader, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import like, paged, uuid_of, whole_of
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.files.downloads import Download, DownloadIn, DownloadsCounted, NewDownload
from libs.common.schemas.pages import Paging
from libs.common.visibility import Visibility
from services.registry.models import DatasetRow, DatasetTypeRow, DownloadRow
from services.registry.operations import downloads as operations
from services.registry.queries import django_filters
from services.registry.queries.downloads import downloads, username

router = APIRouter(route_class=IdempotentRoute, tags=["downloads"])


@router.post("/new-download", status_code=201, responses=problems(BadRequest, Forbidden))
async def new_download(said: NewDownload, by: Editor, seen: Sees, tx: Tx) -> DownloadsCounted:
    """Count one more download of each dataset; a token that only reads, and a public reader, count none."""
    ids = [uuid_of("datasets", text) for text in said.datasets]
    return await operations.count_downloads(tx, by, seen, said, ids)


@router.get("/downloads", responses=problems(BadRequest))
async def list_downloads(
    request: Request,
    by: Reader,
    seen: Sees,
    read: Reading,
    wanted: Paging,
    user: str | None = None,
    dataset: str | None = None,
    dataset_type: str | None = None,
    count: str | None = None,
    json: str | None = None,
    django: str | None = None,
) -> Page[Download]:
    """Counters, the greatest first; administrators see everybody's."""
    statement = _own(by, seen).where(*django_filters.given(seen, django_filters.DOWNLOADS, django))
    if user:
        statement = statement.where(username() == user)
    if dataset:
        statement = statement.where(DatasetRow.name == dataset)
    if dataset_type:
        statement = statement.where(like(DatasetTypeRow.name, dataset_type))
    if count:
        statement = statement.where(DownloadRow.count == whole_of("count", count))
    if json:
        statement = statement.where(like(sa.cast(DownloadRow.json, sa.Text), json))
    total, rows = await paged(read, statement, wanted)
    return page(request, wanted, total, [Download.model_validate(row) for row in rows])


@router.get("/downloads/{download_id}", responses=problems(NotFound))
async def read_download(download_id: UUID, by: Reader, seen: Sees, read: Reading) -> Download:
    """One counter."""
    return await _one(read, by, seen, download_id)


@router.put("/downloads/{download_id}", responses=problems(NotFound))
async def update_download(download_id: UUID, body: DownloadIn, by: Editor, seen: Sees, tx: Tx) -> Download:
    """Correct a counter."""
    await operations.change_download(tx, by, seen, download_id, body)
    await tx.session.flush()
    return await _one(tx.session, by, seen, download_id)


@router.patch("/downloads/{download_id}", responses=problems(NotFound))
async def patch_download(download_id: UUID, body: DownloadIn, by: Editor, seen: Sees, tx: Tx) -> Download:
    """Correct a counter."""
    return await update_download(download_id, body, by, seen, tx)


def _own(by: Principal, seen: Visibility) -> sa.Select[Any]:
    return downloads(seen, operations.whose(by))


async def _one(read: AsyncSession, by: Principal, seen: Visibility, which: UUID) -> Download:
    row = (await read.execute(_own(by, seen).where(DownloadRow.id == which))).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no download {which}.")
    return Download.model_validate(row)

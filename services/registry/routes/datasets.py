"""Datasets."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Registrar, Sees
from libs.common.db import IdempotentRoute, PageReading, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.namesakes import add_namesakes_notice, filtered_nicknames
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, absolute
from libs.common.schemas.files.datasets import Dataset, DatasetIn
from libs.common.schemas.pages import Paging, json_page
from services.registry.operations import datasets as operations
from services.registry.queries import dataset_pages
from services.registry.queries.list_filters.datasets import DatasetFilters
from services.registry.queries.namesakes import list_namesakes
from services.registry.routes.shapes import dataset

router = APIRouter(route_class=IdempotentRoute, tags=["datasets"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/datasets", response_model=Page[Dataset], responses=problems(BadRequest))
async def list_datasets(
    request: Request,
    visibility: Sees,
    session: PageReading,
    paging: Paging,
    filters: Annotated[DatasetFilters, Query()],
) -> Response:
    """List datasets, newest first."""
    conditions = filters.conditions(visibility)
    rows = await dataset_pages.list_datasets(session, visibility, conditions, paging, absolute(request, ""))
    response = json_page(request, paging, rows)
    add_namesakes_notice(response, await list_namesakes(session, visibility, filtered_nicknames(filters)))
    return response


@router.post("/datasets", status_code=201, responses=REFUSALS)
async def create_dataset(
    request: Request, new: DatasetIn, by: Registrar, visibility: Sees, tx: Tx
) -> Dataset:
    """Create a dataset without any copy; prefer /register-file for files."""
    return dataset(
        request,
        await operations.create_dataset(
            tx, by, visibility, new, creates_types=request.app.state.creates_types
        ),
    )


@router.get("/datasets/{dataset_id}", responses=problems(NotFound))
async def read_dataset(request: Request, dataset_id: UUID, visibility: Sees, session: Reading) -> Dataset:
    """Read a dataset."""
    return dataset(request, await operations.read_dataset(session, visibility, dataset_id))


@router.put("/datasets/{dataset_id}", responses=REFUSALS)
@router.patch("/datasets/{dataset_id}", responses=REFUSALS)
async def update_dataset(
    request: Request, dataset_id: UUID, body: DatasetIn, by: Registrar, visibility: Sees, tx: Tx
) -> Dataset:
    """Update a dataset; absent fields keep their value. A different hash creates a new version."""
    return dataset(request, await operations.update_dataset(tx, by, visibility, dataset_id, body))


@router.delete("/datasets/{dataset_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_dataset(
    dataset_id: UUID, by: Registrar, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Delete (soft) a dataset; undo within 30 days."""
    return deleted(
        options, await operations.delete_dataset(tx, by, visibility, dataset_id, dry_run=options.dry_run)
    )

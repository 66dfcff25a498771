"""Labs. Signed-in users read them, administrators write."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Admin, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.labs import Lab, LabIn
from libs.common.schemas.pages import Paging
from services.metadata.operations import labs as operations
from services.metadata.queries import labs as queries
from services.metadata.queries.list_filters.labs import LabFilters

router = APIRouter(route_class=IdempotentRoute, tags=["labs"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


@router.get("/labs")
async def list_labs(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[LabFilters, Query()],
) -> Page[Lab]:
    """List labs by name."""
    count, labs = await queries.list_labs(session, visibility, filters, paging)
    return page(request, paging, count, labs)


@router.post("/labs", status_code=201, responses=REFUSALS)
async def create_lab(new: LabIn, _by: Admin, visibility: Sees, tx: Tx) -> Lab:
    """Create a lab."""
    name = await operations.create_lab(tx, new)
    return await queries.fetch_lab(tx.session, visibility, name)


@router.get("/labs/{name}")
async def read_lab(name: str, visibility: Sees, session: Reading) -> Lab:
    """Read a lab."""
    return await queries.fetch_lab(session, visibility, name)


@router.patch("/labs/{name}", responses=REFUSALS)
@router.put("/labs/{name}", responses=REFUSALS)
async def update_lab(name: str, body: LabIn, _by: Admin, visibility: Sees, tx: Tx) -> Lab:
    """Update a lab; absent fields keep their value."""
    name = await operations.update_lab(tx, name, body)
    return await queries.fetch_lab(tx.session, visibility, name)


@router.delete("/labs/{name}", status_code=204, responses=REFUSALS | DELETED)
async def delete_lab(name: str, by: Admin, visibility: Sees, tx: Tx, options: Deleting) -> Response:
    """Delete (soft) a lab without subjects; undo within 30 days."""
    return deleted(options, await operations.delete_lab(tx, by, visibility, name, dry_run=options.dry_run))

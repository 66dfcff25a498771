"""Locations of fields of view in the brain."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.fov_locations import FovLocation, FovLocationIn, FovLocationListed
from libs.common.schemas.pages import Paging
from services.metadata.operations import fov_locations as operations
from services.metadata.queries import fov_locations as queries
from services.metadata.queries.list_filters.fov_locations import FovLocationFilters

router = APIRouter(route_class=IdempotentRoute, tags=["atlas"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/fov-location")
async def list_fov_locations(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[FovLocationFilters, Query()],
) -> Page[FovLocationListed]:
    """List locations of fields of view, default ones first."""
    count, locations = await queries.list_fov_locations(session, visibility, filters, paging)
    return page(request, paging, count, locations)


@router.post("/fov-location", status_code=201, responses=REFUSALS)
async def create_fov_location(new: FovLocationIn, by: Editor, visibility: Sees, tx: Tx) -> FovLocation:
    """Create a location of a field of view; a new default one replaces the previous one as default."""
    return await operations.create_fov_location(tx, by, visibility, new)


@router.get("/fov-location/{location_id}", responses=problems(NotFound))
async def read_fov_location(location_id: UUID, visibility: Sees, session: Reading) -> FovLocation:
    """Read a location of a field of view."""
    return await queries.fetch_fov_location(session, visibility, location_id)


@router.put("/fov-location/{location_id}", responses=REFUSALS)
@router.patch("/fov-location/{location_id}", responses=REFUSALS)
async def update_fov_location(
    location_id: UUID, body: FovLocationIn, by: Editor, visibility: Sees, tx: Tx
) -> FovLocation:
    """Update a location of a field of view; absent fields keep their value."""
    return await operations.update_fov_location(tx, by, visibility, location_id, body)


@router.delete("/fov-location/{location_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_fov_location(
    location_id: UUID, by: Editor, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Delete (soft) a location of a field of view; undo within 30 days."""
    return deleted(
        options,
        await operations.delete_fov_location(tx, by, visibility, location_id, dry_run=options.dry_run),
    )

"""Locations: rigs and rooms. Signed-in users read them, administrators create, members of the lab update."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from libs.common.auth import Admin, Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.locations import Location, LocationIn
from libs.common.schemas.pages import Paging
from services.metadata.operations import locations as operations
from services.metadata.queries import locations as queries
from services.metadata.queries.list_filters.locations import LocationFilters

router = APIRouter(route_class=IdempotentRoute, tags=["locations"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


@router.get("/locations")
async def list_locations(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[LocationFilters, Query()],
) -> Page[Location]:
    """List locations by name."""
    count, locations = await queries.list_locations(session, visibility, filters, paging)
    return page(request, paging, count, locations)


@router.post("/locations", status_code=201, responses=REFUSALS)
async def create_location(new: LocationIn, _by: Admin, visibility: Sees, tx: Tx) -> Location:
    """Create a location."""
    name = await operations.create_location(tx, new)
    return await queries.fetch_location(tx.session, visibility, name)


@router.get("/locations/{name}")
async def read_location(name: str, visibility: Sees, session: Reading) -> Location:
    """Read a location."""
    return await queries.fetch_location(session, visibility, name)


@router.patch("/locations/{name}", responses=REFUSALS)
@router.put("/locations/{name}", responses=REFUSALS)
async def update_location(name: str, body: LocationIn, by: Editor, visibility: Sees, tx: Tx) -> Location:
    """Update a location; absent fields keep their value. Rigs store their calibration in its `json`."""
    await queries.fetch_location(tx.session, visibility, name)  # 404 for one that the caller does not see
    name = await operations.update_location(tx, by, name, body)
    return await queries.fetch_location(tx.session, visibility, name)

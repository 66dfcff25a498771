"""Brain regions. Signed-in users read them, editors describe them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from libs.common.auth import Reader, Sees, SharedEditor
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.brain_regions import BrainRegion, BrainRegionIn
from libs.common.schemas.pages import Paging
from services.metadata.operations import brain_regions as operations
from services.metadata.queries import brain_regions as queries
from services.metadata.queries.list_filters.brain_regions import BrainRegionFilters

router = APIRouter(route_class=IdempotentRoute, tags=["atlas"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, NotFound)


@router.get("/brain-regions")
async def list_brain_regions(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[BrainRegionFilters, Query()],
) -> Page[BrainRegion]:
    """List brain regions, each before its parts."""
    count, regions = await queries.list_regions(session, visibility, filters, paging)
    return page(request, paging, count, regions)


@router.get("/brain-regions/{region_id}", responses=problems(NotFound))
async def read_brain_region(region_id: int, _by: Reader, session: Reading) -> BrainRegion:
    """Read a brain region."""
    return await queries.fetch_region(session, region_id)


@router.put("/brain-regions/{region_id}", responses=REFUSALS)
@router.patch("/brain-regions/{region_id}", responses=REFUSALS)
async def update_brain_region(region_id: int, body: BrainRegionIn, _by: SharedEditor, tx: Tx) -> BrainRegion:
    """Update the description of a brain region; nothing else of it changes."""
    return await operations.update_region(tx, region_id, body)

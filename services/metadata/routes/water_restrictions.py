"""Water restrictions."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.namesakes import add_namesakes_notice, filtered_nicknames
from libs.common.problem import BadRequest, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.water_restrictions import WaterRestriction, WaterRestrictionIn
from services.metadata.operations import water_restrictions as operations
from services.metadata.queries import water_restrictions as queries
from services.metadata.queries.list_filters.water_restrictions import WaterRestrictionFilters
from services.metadata.queries.namesakes import list_namesakes

router = APIRouter(route_class=IdempotentRoute, tags=["actions"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, NotFound)


@router.get("/water-restriction", response_model_exclude_unset=True)
async def list_restrictions(
    request: Request,
    response: Response,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[WaterRestrictionFilters, Query()],
    ids: Annotated[bool, Query(description="Ours: rows show their ids.")] = False,
) -> Page[WaterRestriction]:
    """List water restrictions, those without an end first."""
    count, restrictions = await queries.list_restrictions(session, visibility, filters, paging, with_ids=ids)
    named = filtered_nicknames(filters)
    add_namesakes_notice(response, await list_namesakes(session, visibility, named))
    return page(request, paging, count, restrictions)


@router.post("/water-restriction", status_code=201, responses=REFUSALS)
async def create_restriction(
    new: WaterRestrictionIn, by: Editor, visibility: Sees, tx: Tx
) -> WaterRestriction:
    """Create a water restriction."""
    return await operations.create_restriction(tx, by, visibility, new)


@router.patch("/water-restriction/{restriction_id}", responses=REFUSALS)
async def update_restriction(
    restriction_id: UUID, body: WaterRestrictionIn, by: Editor, visibility: Sees, tx: Tx
) -> WaterRestriction:
    """Update a water restriction; `end_time` ends it."""
    return await operations.update_restriction(tx, by, visibility, restriction_id, body)

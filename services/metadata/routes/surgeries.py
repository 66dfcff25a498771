"""Surgeries."""

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
from libs.common.schemas.surgeries import Surgery, SurgeryIn
from services.metadata.operations import surgeries as operations
from services.metadata.queries import surgeries as queries
from services.metadata.queries.list_filters.surgeries import SurgeryFilters
from services.metadata.queries.namesakes import list_namesakes

router = APIRouter(route_class=IdempotentRoute, tags=["actions"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, NotFound)


@router.get("/surgeries")
async def list_surgeries(
    request: Request,
    response: Response,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[SurgeryFilters, Query()],
) -> Page[Surgery]:
    """List surgeries, newest first."""
    count, surgeries = await queries.list_surgeries(session, visibility, filters, paging)
    named = filtered_nicknames(filters)
    add_namesakes_notice(response, await list_namesakes(session, visibility, named))
    return page(request, paging, count, surgeries)


@router.post("/surgeries", status_code=201, responses=REFUSALS)
async def create_surgery(new: SurgeryIn, by: Editor, visibility: Sees, tx: Tx) -> Surgery:
    """Create a surgery."""
    return await operations.create_surgery(tx, by, visibility, new)


@router.get("/surgeries/{surgery_id}", responses=problems(NotFound))
async def read_surgery(surgery_id: UUID, visibility: Sees, session: Reading) -> Surgery:
    """Read a surgery."""
    return await queries.fetch_surgery(session, visibility, surgery_id)


@router.put("/surgeries/{surgery_id}", responses=REFUSALS)
@router.patch("/surgeries/{surgery_id}", responses=REFUSALS)
async def update_surgery(surgery_id: UUID, body: SurgeryIn, by: Editor, visibility: Sees, tx: Tx) -> Surgery:
    """Update a surgery; absent fields keep their value."""
    return await operations.update_surgery(tx, by, visibility, surgery_id, body)

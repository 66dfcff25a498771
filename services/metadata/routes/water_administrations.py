"""Water administrations."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.idempotency import has_key
from libs.common.db.query_parameters import NOTICE
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.namesakes import add_namesakes_notice, filtered_nicknames
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.water_administrations import WaterAdministration, WaterAdministrationIn
from services.metadata.operations import water_administrations as operations
from services.metadata.queries import water_administrations as queries
from services.metadata.queries.list_filters.water_administrations import WaterAdministrationFilters
from services.metadata.queries.namesakes import list_namesakes

router = APIRouter(route_class=IdempotentRoute, tags=["colony"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/water-administrations")
async def list_water_administrations(
    request: Request,
    response: Response,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[WaterAdministrationFilters, Query()],
) -> Page[WaterAdministration]:
    """List water administrations, newest first."""
    base_url = absolute(request, "")
    count, waters = await queries.list_water_administrations(session, visibility, filters, paging, base_url)
    named = filtered_nicknames(filters)
    add_namesakes_notice(response, await list_namesakes(session, visibility, named))
    return page(request, paging, count, waters)


@router.post("/water-administrations", status_code=201, responses=REFUSALS)
async def create_water_administration(
    request: Request, response: Response, new: WaterAdministrationIn, by: Editor, visibility: Sees, tx: Tx
) -> WaterAdministration:
    """Create a water administration. One that was sent a moment ago is not created twice; a notice says so."""
    created, notice = await operations.create_water_administration(
        tx, by, visibility, new, absolute(request, ""), is_keyed=has_key(request)
    )
    if notice:
        response.headers[NOTICE] = notice
    return created


@router.get("/water-administrations/{water_id}", responses=problems(NotFound))
async def read_water_administration(
    request: Request, water_id: UUID, visibility: Sees, session: Reading
) -> WaterAdministration:
    """Read a water administration."""
    return await queries.fetch_water_administration(session, visibility, water_id, absolute(request, ""))


@router.put("/water-administrations/{water_id}", responses=REFUSALS)
@router.patch("/water-administrations/{water_id}", responses=REFUSALS)
async def update_water_administration(
    request: Request, water_id: UUID, body: WaterAdministrationIn, by: Editor, visibility: Sees, tx: Tx
) -> WaterAdministration:
    """Update a water administration; absent fields keep their value."""
    base_url = absolute(request, "")
    return await operations.update_water_administration(tx, by, visibility, water_id, body, base_url)


@router.delete("/water-administrations/{water_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_water_administration(
    water_id: UUID, by: Editor, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Delete (soft) a water administration; undo within 30 days."""
    return deleted(
        options,
        await operations.delete_water_administration(tx, by, visibility, water_id, dry_run=options.dry_run),
    )

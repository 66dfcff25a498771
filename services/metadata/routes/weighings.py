"""Weighings."""

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
from libs.common.schemas.weighings import Weighing, WeighingIn
from services.metadata.operations import weighings as operations
from services.metadata.queries import weighings as queries
from services.metadata.queries.list_filters.weighings import WeighingFilters
from services.metadata.queries.namesakes import list_namesakes

router = APIRouter(route_class=IdempotentRoute, tags=["colony"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/weighings")
async def list_weighings(
    request: Request,
    response: Response,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[WeighingFilters, Query()],
) -> Page[Weighing]:
    """List weighings, newest first."""
    base_url = absolute(request, "")
    count, weighings = await queries.list_weighings(session, visibility, filters, paging, base_url)
    named = filtered_nicknames(filters)
    add_namesakes_notice(response, await list_namesakes(session, visibility, named))
    return page(request, paging, count, weighings)


@router.post("/weighings", status_code=201, responses=REFUSALS)
async def create_weighing(
    request: Request, response: Response, new: WeighingIn, by: Editor, visibility: Sees, tx: Tx
) -> Weighing:
    """Create a weighing. One that was sent a moment ago is not created twice; a notice says so."""
    created, notice = await operations.create_weighing(
        tx, by, visibility, new, absolute(request, ""), is_keyed=has_key(request)
    )
    if notice:
        response.headers[NOTICE] = notice
    return created


@router.get("/weighings/{weighing_id}", responses=problems(NotFound))
async def read_weighing(request: Request, weighing_id: UUID, visibility: Sees, session: Reading) -> Weighing:
    """Read a weighing."""
    return await queries.fetch_weighing(session, visibility, weighing_id, absolute(request, ""))


@router.delete("/weighings/{weighing_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_weighing(
    weighing_id: UUID, by: Editor, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Delete (soft) a weighing; undo within 30 days."""
    return deleted(
        options, await operations.delete_weighing(tx, by, visibility, weighing_id, dry_run=options.dry_run)
    )

"""Insertions: probes in sessions."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, PageReading, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.namesakes import add_namesakes_notice, filtered_nicknames
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, absolute
from libs.common.schemas.insertions import Insertion, InsertionIn
from libs.common.schemas.pages import Paging, json_page
from services.metadata.operations import insertions as operations
from services.metadata.queries import insertions as queries
from services.metadata.queries.list_filters.insertions import InsertionFilters
from services.metadata.queries.namesakes import list_namesakes

router = APIRouter(route_class=IdempotentRoute, tags=["sessions"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/insertions", response_model=Page[Insertion])
async def list_insertions(
    request: Request,
    visibility: Sees,
    session: PageReading,
    paging: Paging,
    filters: Annotated[InsertionFilters, Query()],
) -> Response:
    """List insertions, latest session first."""
    base_url = absolute(request, "")
    rows = await queries.list_insertions(session, visibility, filters, paging, base_url)
    response = json_page(request, paging, rows)
    named = filtered_nicknames(filters, rows.results)
    add_namesakes_notice(response, await list_namesakes(session, visibility, named))
    return response


@router.post("/insertions", status_code=201, responses=REFUSALS)
async def create_insertion(
    request: Request, new: InsertionIn, by: Editor, visibility: Sees, tx: Tx
) -> Insertion:
    """Create an insertion."""
    return await operations.create_insertion(tx, by, visibility, new, absolute(request, ""))


@router.get("/insertions/{insertion_id}", responses=problems(NotFound))
async def read_insertion(
    request: Request, insertion_id: UUID, visibility: Sees, session: Reading
) -> Insertion:
    """Read an insertion with its datasets that exist on a server."""
    return await queries.fetch_insertion(session, visibility, insertion_id, absolute(request, ""))


@router.put("/insertions/{insertion_id}", responses=REFUSALS)
@router.patch("/insertions/{insertion_id}", responses=REFUSALS)
async def update_insertion(
    request: Request, insertion_id: UUID, body: InsertionIn, by: Editor, visibility: Sees, tx: Tx
) -> Insertion:
    """Update an insertion; absent fields keep their value."""
    base_url = absolute(request, "")
    return await operations.update_insertion(tx, by, visibility, insertion_id, body, base_url)


@router.delete("/insertions/{insertion_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_insertion(
    insertion_id: UUID, by: Editor, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Delete (soft) an insertion; undo within 30 days."""
    return deleted(
        options, await operations.delete_insertion(tx, by, visibility, insertion_id, dry_run=options.dry_run)
    )

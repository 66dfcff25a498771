"""Chronic insertions: probes that stay in an animal."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.namesakes import add_namesakes_notice, filtered_nicknames
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.chronic_insertions import ChronicInsertion, ChronicInsertionIn
from libs.common.schemas.pages import Paging
from services.metadata.operations import chronic_insertions as operations
from services.metadata.queries import chronic_insertions as queries
from services.metadata.queries.list_filters.chronic_insertions import ChronicInsertionFilters
from services.metadata.queries.namesakes import list_namesakes

router = APIRouter(route_class=IdempotentRoute, tags=["actions"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/chronic-insertions")
async def list_chronic_insertions(
    request: Request,
    response: Response,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[ChronicInsertionFilters, Query()],
) -> Page[ChronicInsertion]:
    """List chronic insertions, newest first."""
    base_url = absolute(request, "")
    count, rows = await queries.list_chronic_insertions(session, visibility, filters, paging, base_url)
    named = filtered_nicknames(filters)
    add_namesakes_notice(response, await list_namesakes(session, visibility, named))
    return page(request, paging, count, rows)


@router.post("/chronic-insertions", status_code=201, responses=REFUSALS)
async def create_chronic_insertion(
    request: Request, new: ChronicInsertionIn, by: Editor, visibility: Sees, tx: Tx
) -> ChronicInsertion:
    """Create a chronic insertion."""
    return await operations.create_chronic_insertion(tx, by, visibility, new, absolute(request, ""))


@router.get("/chronic-insertions/{chronic_insertion_id}", responses=problems(NotFound))
async def read_chronic_insertion(
    request: Request, chronic_insertion_id: UUID, visibility: Sees, session: Reading
) -> ChronicInsertion:
    """Read a chronic insertion with its insertions in sessions."""
    base_url = absolute(request, "")
    return await queries.fetch_chronic_insertion(session, visibility, chronic_insertion_id, base_url)


@router.put("/chronic-insertions/{chronic_insertion_id}", responses=REFUSALS)
@router.patch("/chronic-insertions/{chronic_insertion_id}", responses=REFUSALS)
async def update_chronic_insertion(
    request: Request,
    chronic_insertion_id: UUID,
    body: ChronicInsertionIn,
    by: Editor,
    visibility: Sees,
    tx: Tx,
) -> ChronicInsertion:
    """Update a chronic insertion; absent fields keep their value."""
    base_url = absolute(request, "")
    return await operations.update_chronic_insertion(tx, by, visibility, chronic_insertion_id, body, base_url)


@router.delete("/chronic-insertions/{chronic_insertion_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_chronic_insertion(
    chronic_insertion_id: UUID, by: Editor, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Delete (soft) a chronic insertion with its trajectories; undo within 30 days."""
    deletion = await operations.delete_chronic_insertion(
        tx, by, visibility, chronic_insertion_id, dry_run=options.dry_run
    )
    return deleted(options, deletion)

"""Merges of sessions that are of one subject, day and number."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.protection import ProtectedData
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.session_merges import SessionMerge, SessionMergeDetail, SessionMergeIn
from services.metadata.operations import session_merges as operations
from services.metadata.queries import session_merges as queries
from services.metadata.queries.list_filters.session_merges import SessionMergeFilters

router = APIRouter(route_class=IdempotentRoute, tags=["sessions"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, ProtectedData)
_DRY: dict[int | str, dict[str, Any]] = {
    200: {"model": SessionMerge, "description": "What the merge would move, with `dry_run`."}
}


@router.get("/session-merges")
async def list_merges(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[SessionMergeFilters, Query()],
) -> Page[SessionMerge]:
    """List merges of sessions, latest first."""
    count, merges = await queries.list_merges(session, visibility, filters, paging)
    return page(request, paging, count, merges)


@router.post("/session-merges", status_code=201, responses=REFUSALS | _DRY)
async def merge_sessions(
    response: Response,
    body: SessionMergeIn,
    by: Editor,
    visibility: Sees,
    tx: Tx,
    dry_run: Annotated[bool, Query(description="Only count what would be moved.")] = False,
) -> SessionMerge:
    """Merge sessions of one subject, day, number and lab into one of them; undo within 30 days."""
    merge = await operations.merge_sessions(tx, by, visibility, body, dry_run=dry_run)
    if merge.undo is None:
        response.status_code = 200
    else:
        response.headers["Location"] = f"/session-merges/{merge.id}"
        response.headers["Link"] = f'<{merge.undo}>; rel="undo"'
    return merge


@router.get("/session-merges/{merge_id}", responses=problems(NotFound))
async def read_merge(merge_id: UUID, visibility: Sees, session: Reading) -> SessionMergeDetail:
    """Read a merge of sessions, and how many rows other services still have to move."""
    return await queries.fetch_merge(session, visibility, merge_id)

"""Sessions."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, PageReading, Tx
from libs.common.db.query_parameters import NOTICE
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.namesakes import add_namesakes_notice, filtered_nicknames
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, absolute
from libs.common.schemas.pages import Paging, json_page
from libs.common.schemas.session_detail import SessionDetail
from libs.common.schemas.sessions import Session, SessionIn
from services.metadata.domain.actions import listed_twins_notice, twin_notice
from services.metadata.operations import sessions as operations
from services.metadata.queries import sessions as queries
from services.metadata.queries.list_filters.sessions import SessionFilters
from services.metadata.queries.namesakes import list_namesakes

router = APIRouter(route_class=IdempotentRoute, tags=["sessions"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/sessions", response_model=Page[Session])
async def list_sessions(
    request: Request,
    visibility: Sees,
    session: PageReading,
    paging: Paging,
    filters: Annotated[SessionFilters, Query()],
) -> Response:
    """List sessions, newest first; a notice counts those of whose subject, day and number there are others."""
    rows = await queries.list_sessions(session, visibility, filters, paging, absolute(request, ""))
    response = json_page(request, paging, rows)
    if notice := listed_twins_notice(rows.n_flagged):
        response.headers[NOTICE] = notice
    named = filtered_nicknames(filters, rows.results)
    add_namesakes_notice(response, await list_namesakes(session, visibility, named))
    return response


@router.post("/sessions", status_code=201, responses=REFUSALS)
async def create_session(
    request: Request, response: Response, new: SessionIn, by: Editor, visibility: Sees, tx: Tx
) -> SessionDetail:
    """Create a session. A notice counts the other sessions of its subject on that day with that number."""
    created, n_twins = await operations.create_session(tx, by, visibility, new, absolute(request, ""))
    if notice := twin_notice(n_twins):
        response.headers[NOTICE] = notice
    return created


@router.get("/sessions/{session_id}", responses=problems(NotFound))
async def read_session(
    request: Request, response: Response, session_id: UUID, visibility: Sees, session: PageReading
) -> SessionDetail:
    """Read a session with its datasets, water, insertions and notes; a notice counts others of its day and number."""
    shown, n_twins = await queries.fetch_session(session, visibility, session_id, absolute(request, ""))
    if notice := twin_notice(n_twins):
        response.headers[NOTICE] = notice
    return shown


@router.put("/sessions/{session_id}", responses=REFUSALS)
@router.patch("/sessions/{session_id}", responses=REFUSALS)
async def update_session(
    request: Request,
    response: Response,
    session_id: UUID,
    body: SessionIn,
    by: Editor,
    visibility: Sees,
    tx: Tx,
) -> SessionDetail:
    """Update a session; absent fields keep their value. A notice counts others of its subject, day and number."""
    base_url = absolute(request, "")
    shown, n_twins = await operations.update_session(tx, by, visibility, session_id, body, base_url)
    if notice := twin_notice(n_twins):
        response.headers[NOTICE] = notice
    return shown


@router.delete("/sessions/{session_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_session(
    session_id: UUID, by: Editor, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Delete (soft) a session with its insertions and datasets; undo within 30 days."""
    return deleted(
        options, await operations.delete_session(tx, by, visibility, session_id, dry_run=options.dry_run)
    )

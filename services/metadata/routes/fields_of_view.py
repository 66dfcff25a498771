"""Fields of view: imaging planes of sessions."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.namesakes import add_namesakes_notice, filtered_nicknames
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.fields_of_view import FieldOfView, FieldOfViewIn
from libs.common.schemas.pages import Paging
from services.metadata.operations import fields_of_view as operations
from services.metadata.queries import fields_of_view as queries
from services.metadata.queries.list_filters.fields_of_view import FieldOfViewFilters
from services.metadata.queries.namesakes import list_namesakes

router = APIRouter(route_class=IdempotentRoute, tags=["atlas"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/fields-of-view")
async def list_fields_of_view(
    request: Request,
    response: Response,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[FieldOfViewFilters, Query()],
) -> Page[FieldOfView]:
    """List fields of view, latest session first, then by name."""
    count, fields_of_view = await queries.list_fields_of_view(session, visibility, filters, paging)
    named = filtered_nicknames(filters)
    add_namesakes_notice(response, await list_namesakes(session, visibility, named))
    return page(request, paging, count, fields_of_view)


@router.post("/fields-of-view", status_code=201, responses=REFUSALS)
async def create_field_of_view(new: FieldOfViewIn, by: Editor, visibility: Sees, tx: Tx) -> FieldOfView:
    """Create a field of view of a session."""
    return await operations.create_field_of_view(tx, by, visibility, new)


@router.get("/fields-of-view/{fov_id}", responses=problems(NotFound))
async def read_field_of_view(fov_id: UUID, visibility: Sees, session: Reading) -> FieldOfView:
    """Read a field of view with its locations."""
    return await queries.fetch_field_of_view(session, visibility, fov_id)


@router.put("/fields-of-view/{fov_id}", responses=REFUSALS)
@router.patch("/fields-of-view/{fov_id}", responses=REFUSALS)
async def update_field_of_view(
    fov_id: UUID, body: FieldOfViewIn, by: Editor, visibility: Sees, tx: Tx
) -> FieldOfView:
    """Update a field of view; absent fields keep their value."""
    return await operations.update_field_of_view(tx, by, visibility, fov_id, body)


@router.delete("/fields-of-view/{fov_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_field_of_view(
    fov_id: UUID, by: Editor, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Delete (soft) a field of view with its locations; undo within 30 days."""
    return deleted(
        options, await operations.delete_field_of_view(tx, by, visibility, fov_id, dry_run=options.dry_run)
    )

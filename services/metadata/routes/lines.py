"""Breeding lines."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.lines import Line, LineIn
from libs.common.schemas.pages import Paging
from services.metadata.operations import lines as operations
from services.metadata.queries import lines as queries

router = APIRouter(route_class=IdempotentRoute, tags=["colony"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/lines")
async def list_lines(request: Request, visibility: Sees, session: Reading, paging: Paging) -> Page[Line]:
    """List breeding lines by name."""
    count, lines = await queries.list_lines(session, visibility, paging)
    return page(request, paging, count, lines)


@router.post("/lines", status_code=201, responses=REFUSALS)
async def create_line(new: LineIn, by: Editor, visibility: Sees, tx: Tx) -> Line:
    """Create a breeding line."""
    return await operations.create_line(tx, by, visibility, new)

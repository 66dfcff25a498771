"""Litters."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.litters import Litter, LitterIn
from libs.common.schemas.pages import Paging
from services.metadata.operations import litters as operations
from services.metadata.queries import litters as queries

router = APIRouter(route_class=IdempotentRoute, tags=["colony"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/litters")
async def list_litters(request: Request, visibility: Sees, session: Reading, paging: Paging) -> Page[Litter]:
    """List litters by name."""
    count, litters = await queries.list_litters(session, visibility, paging)
    return page(request, paging, count, litters)


@router.post("/litters", status_code=201, responses=REFUSALS)
async def create_litter(new: LitterIn, by: Editor, visibility: Sees, tx: Tx) -> Litter:
    """Create a litter."""
    return await operations.create_litter(tx, by, visibility, new)

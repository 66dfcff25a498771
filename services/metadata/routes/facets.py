"""Facets of sessions. Ours."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from libs.common.auth import Sees
from libs.common.db import IdempotentRoute, PageReading
from libs.common.problem import BadRequest, problems
from libs.common.schemas.facets import Facets
from services.metadata.queries import facets as queries
from services.metadata.queries.list_filters.sessions import SessionFilters

router = APIRouter(route_class=IdempotentRoute, tags=["sessions"])
MOST_VALUES: Final = 200


async def read_most(
    most: Annotated[int, Query(ge=1, le=MOST_VALUES, description="Values of each facet, at most.")] = 20,
) -> int:
    """Read how many values of each facet are shown."""
    return most


@router.get("/facets", responses=problems(BadRequest))
async def count_facets(
    visibility: Sees,
    session: PageReading,
    filters: Annotated[SessionFilters, Query()],
    most: Annotated[int, Depends(read_most)],
) -> Facets:
    """Count the sessions that pass the filters of `/sessions`, and those of them for each value of each facet."""
    return await queries.fetch_facets(session, visibility, filters, most)

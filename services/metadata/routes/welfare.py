"""A subject's weights and water per day."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from libs.common.auth import Sees
from libs.common.db import IdempotentRoute, Reading
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas.welfare import WaterRequirement
from services.metadata.operations import welfare as operations

router = APIRouter(route_class=IdempotentRoute, tags=["colony"])
Day = Annotated[str | None, Query()]


@router.get("/water-requirement/{nickname}", responses=problems(NotFound, BadRequest, Conflict))
async def read_requirement(
    nickname: str, visibility: Sees, session: Reading, start_date: Day = None, end_date: Day = None
) -> WaterRequirement:
    """Read the subject's weight and water requirement, one record per day, both ends included.

    Default: from the first weighing or water administration to today.
    """
    return await operations.read_requirement(session, visibility, nickname, start_date, end_date)

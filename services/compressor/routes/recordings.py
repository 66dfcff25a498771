"""Routes of recordings out of which slices can be read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from libs.common.auth import Sees
from libs.common.db import CheckedRoute, Reading
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.recordings import Recording
from services.compressor.queries import recordings as queries
from services.compressor.queries.list_filters import RecordingFilters

router = APIRouter(route_class=CheckedRoute, tags=["slices"])


@router.get("/slices")
async def list_recordings(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[RecordingFilters, Query()],
) -> Page[Recording]:
    """List recordings from which slices can be read, latest session first."""
    count, recordings = await queries.list_recordings(session, visibility, filters, paging)
    return page(request, paging, count, recordings)

"""The start page: subjects under water restriction, and the latest sessions."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.pages.rendering import show
from services.portal.pages.viewer import Viewing
from services.portal.pages.welfare_status import LABELS, worst_first

router = APIRouter(include_in_schema=False)
MOST_ANIMALS = 100


@router.get("/app/")
async def home(request: Request, viewer: Viewing) -> Response:
    """Show the start page."""
    animals, sessions = await viewer.parts(
        ("/water-restricted-subjects", {"limit": MOST_ANIMALS}), ("/sessions", {"limit": 10})
    )
    return await show(
        request,
        "home.html",
        viewer,
        animals=animals,
        ranked=worst_first(animals.rows, datetime.now(UTC).date()),
        labels=LABELS,
        sessions=sessions,
        most=MOST_ANIMALS,
    )

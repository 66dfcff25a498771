"""The start page: animals that are due water, and what was recorded last."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.pages.rendering import show
from services.portal.pages.standing import WORDS, worst_first
from services.portal.pages.viewer import Viewing

router = APIRouter()
MOST_ANIMALS = 100


@router.get("/app/")
async def home(request: Request, viewer: Viewing) -> Response:
    """What somebody wants to know in the morning."""
    animals, sessions = await viewer.parts(
        ("/water-restricted-subjects", {"limit": MOST_ANIMALS}), ("/sessions", {"limit": 10})
    )
    return await show(
        request,
        "home.html",
        viewer,
        animals=animals,
        herd=worst_first(animals.rows, datetime.now(UTC).date()),
        words=WORDS,
        sessions=sessions,
        most=MOST_ANIMALS,
    )

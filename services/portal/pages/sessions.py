"""The list of sessions."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.pages.lists import Asked, day_range
from services.portal.pages.rendering import show
from services.portal.pages.snippets import client_code
from services.portal.pages.viewer import Refused, Viewing

router = APIRouter()
FILTERS = ("subject", "lab", "project", "task_protocol", "from", "to")
NOTHING: dict[str, Any] = {"count": 0, "results": []}


@router.get("/app/sessions")
async def sessions(request: Request, viewer: Viewing) -> Response:
    """Sessions, newest first, by whatever the form asks for."""
    asked = Asked.of(request, FILTERS)
    same = ("subject", "lab", "project", "task_protocol")
    query = {name: asked.filters.get(name) for name in same} | {"date_range": day_range(asked.filters)}
    problem, status = "", 200

    async def found() -> Any:
        nonlocal problem, status
        try:
            return await viewer.get("/sessions", **query, limit=asked.limit, offset=asked.offset or None)
        except Refused as refused:
            if refused.status != 400:
                raise
            problem, status = refused.text, 400
            return NOTHING

    answer, (labs, projects) = await asyncio.gather(
        found(), viewer.parts(("/labs", {"limit": 1000}), ("/projects", {"limit": 1000}))
    )
    return await show(
        request,
        "sessions.html",
        viewer,
        status=status,
        asked=asked,
        sessions=answer["results"],
        place=asked.paged(answer),
        labs=labs.names,
        projects=projects.names,
        problem=problem,
        search=_search(viewer.origin, viewer.username, asked),
    )


def _search(origin: str, username: str, asked: Asked) -> str:
    """The same search in Python."""
    told = {name: asked.filters[name] for name in FILTERS[:4] if name in asked.filters}
    words = [f"{name}={value!r}" for name, value in told.items()]
    if days := day_range(asked.filters):
        words.append(f"date_range={days.split(',')!r}")
    return client_code(origin, username, f"eids = one.search({', '.join(words)})")

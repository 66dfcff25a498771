"""The doors of the portal: assets, the way in, and the pages."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from libs.common.problem import NotFound
from services.portal.pages import account, home, jobs, oidc, reference, session, sessions, signing, subjects
from services.portal.pages.rendering import asset_answer

router = APIRouter()


@router.get("/app")
async def without_slash() -> Response:
    """Where people land who type the address."""
    return RedirectResponse("/app/", status_code=308)


@router.get("/app/static/{name}")
async def static(request: Request, name: str) -> Response:
    """A bundled file."""
    found = asset_answer(request, name)
    if found is None:
        raise NotFound(f"There is no file {name} here.")
    return found


routers = [
    router,
    *(page.router for page in (signing, oidc, account, home, subjects, sessions, session, jobs, reference)),
]

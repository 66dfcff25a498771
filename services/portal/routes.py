"""Routes of the portal: assets and pages."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from libs.common.problem import NotFound
from services.portal.pages import (
    account,
    home,
    jobs,
    oidc,
    reference,
    releases,
    session,
    session_merges,
    sessions,
    signing,
    subjects,
)
from services.portal.pages.rendering import asset_answer

router = APIRouter(include_in_schema=False)


@router.get("/app")
async def without_slash() -> Response:
    """Redirect an address typed without the last slash."""
    return RedirectResponse("/app/", status_code=308)


@router.get("/app/static/{name}")
async def static(request: Request, name: str) -> Response:
    """Serve a bundled file."""
    response = asset_answer(request, name)
    if response is None:
        raise NotFound(f"File '{name}' not found.")
    return response


routers = [
    router,
    *(
        page.router
        for page in (
            signing,
            oidc,
            account,
            home,
            subjects,
            sessions,
            session,
            session_merges,
            jobs,
            releases,
            reference,
        )
    ),
]

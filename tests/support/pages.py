"""The pages of the portal, taken from its routes, so that tests of all pages miss no new one."""

from __future__ import annotations

import re
from typing import Final

from fastapi.routing import APIRoute

from services.portal.routes import routers

# GET routes that show a signed-in browser no page of their own.
NO_PAGES: Final = {
    "/app": "redirects to the start page",
    "/app/static/{name}": "a file",
    "/app/login": "redirects a signed-in browser",
    "/app/login/oidc": "redirects to the identity provider",
    "/app/login/oidc/callback": "redirects to the start page",
    "/app/sessions/{session_id}/jobs": "a part of the session's page",
    "/app/jobs/{job_id}/log": "a part of the job's page",
}
# What a test has to know to open every page.
PARAMETERS: Final = frozenset({"nickname", "session_id", "job_id", "merge_id", "name"})


def get_paths() -> set[str]:
    """Paths of all GET routes of the portal."""
    routes = (route for router in routers for route in router.routes if isinstance(route, APIRoute))
    return {route.path for route in routes if "GET" in (route.methods or ())}


def page_paths(**values: str) -> list[str]:
    """The address of every page, with these values of the parameters."""
    return sorted(path.format(**values) for path in get_paths() - set(NO_PAGES))


def parameters(path: str) -> set[str]:
    """Names of the parameters of a path."""
    return set(re.findall(r"{(\w+)", path))

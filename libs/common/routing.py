"""How an application finds the route of a request: by the first segment of its path, then among the few that begin so.

FastAPI's `include_router` tries every route of every router, twice for each request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from libs.common.own_methods import with_refusals


def add_routes(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Let an application answer the routes of routers, which several applications may share.

    A router has neither prefix nor dependencies of its own. Call it once all other routes are added. Raises TypeError
    for a path that begins with a parameter.
    """
    app.router.routes.extend(with_refusals([route for router in routers for route in router.routes]))
    parts = {segment: _router_of(routes) for segment, routes in _by_first_segment(app.router).items()}

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        part = parts.get(_first_segment(scope["path"])) if scope["type"] == "http" else None
        await (part or app.router).app(scope, receive, send)

    app.router.middleware_stack = dispatch


def _by_first_segment(router: APIRouter) -> dict[str, list[BaseRoute]]:
    routes: dict[str, list[BaseRoute]] = defaultdict(list)
    for route in router.routes:
        routes[_first_segment(getattr(route, "path", ""))].append(route)
    if of_all := [segment for segment in routes if "{" in segment]:
        raise TypeError(f"a path begins with a parameter: {of_all}")
    return routes


def _router_of(routes: list[BaseRoute]) -> APIRouter:
    router = APIRouter(redirect_slashes=False)
    router.routes.extend(routes)
    return router


def _first_segment(path: str) -> str:
    """The text between the first two slashes.

    >>> _first_segment("/sessions/0fa3"), _first_segment("/")
    ('sessions', '')
    """
    return path.partition("/")[2].partition("/")[0]

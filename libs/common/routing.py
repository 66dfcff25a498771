"""How an application finds the route of a request: by the first segment of its path, then among the few that begin so.

FastAPI's `include_router` tries every route of every router, twice for each request.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from libs.common.own_methods import with_refusals

_ENCODED: Final = re.compile(rb"%[89A-Fa-f]")  # a character beyond ASCII


def add_routes(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Let an application answer the routes of routers, which several applications may share.

    A router has neither prefix nor dependencies of its own. Call it once all other routes are added. Raises TypeError
    for a path that begins with a parameter.
    """
    app.router.routes.extend(with_refusals([route for router in routers for route in router.routes]))
    parts = {segment: _router_of(routes) for segment, routes in _by_first_segment(app.router).items()}

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            compose(scope)
        part = parts.get(_first_segment(scope["path"])) if scope["type"] == "http" else None
        await (part or app.router).app(scope, receive, send)

    app.router.middleware_stack = dispatch


def compose(scope: Scope) -> None:
    """Let path and query have the composed form of accented letters (NFC), in which names are stored.

    macOS writes the names of files decomposed, and rigs send them as they read them.
    """
    if not scope["path"].isascii():
        scope["path"] = _composed(scope["path"])
    if _ENCODED.search(scope["query_string"]):
        query = scope["query_string"].decode("latin-1")
        pairs = parse_qsl(query, keep_blank_values=True)
        composed = [(_composed(name), _composed(value)) for name, value in pairs]
        if composed != pairs:
            scope["query_string"] = urlencode(composed).encode("latin-1")


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


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

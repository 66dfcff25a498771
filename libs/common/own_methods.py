"""A path has the methods of its own routes, and refuses all others with 405 and the whole list in `Allow`.

Without this, Starlette lists the methods of the first route only, and `GET /jobs/claim` reaches `GET /jobs/{job_id}`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

METHODS: Final = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])


def with_refusals(routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """The routes, and what refuses other methods: first where the path also fits a template, otherwise last.

    >>> async def job() -> None: ...
    >>> routes = [APIRoute("/jobs/{job_id}", job), APIRoute("/jobs/claim", job, methods=["POST"])]
    >>> [(route.path, sorted(route.methods)[:2]) for route in with_refusals(routes)]  # doctest: +NORMALIZE_WHITESPACE
    [('/jobs/claim', ['DELETE', 'GET']), ('/jobs/{job_id}', ['GET']), ('/jobs/claim', ['POST']),
     ('/jobs/{job_id}', ['DELETE', 'OPTIONS'])]
    """
    declared = [route for route in routes if isinstance(route, APIRoute)]
    own: defaultdict[str, set[str]] = defaultdict(set)
    for route in declared:
        own[route.path] |= route.methods or set()
    templates = [route for route in declared if "{" in route.path]
    first: list[BaseRoute] = []
    last: list[BaseRoute] = []
    for path, methods in own.items():
        is_shadowed = "{" not in path and any(template.path_regex.match(path) for template in templates)
        (first if is_shadowed else last).append(_refusal(path, methods))
    return [*first, *routes, *last]


class Refusal(Route):
    """What refuses the other methods of a path."""


def _refusal(path: str, allowed: Iterable[str]) -> Refusal:
    methods = METHODS.difference(allowed, {"HEAD"} if "GET" in allowed else set())

    async def refuse(_request: Request) -> Response:
        raise HTTPException(405, headers={"Allow": ", ".join(sorted(allowed))})

    return Refusal(path, refuse, methods=sorted(methods), include_in_schema=False)

"""Pages of lists as in Alyx: `count, next, previous, results`, 250 rows unless asked, 1,000 at most."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from libs.common.schemas.ignorable import Ignorable

DEFAULT_LIMIT = 250
MOST = 1_000
FURTHEST = 2**31
LONGEST_NUMBER = 20  # characters; Python reads no numbers of thousands of digits
_BASE_URL = "cingulum.base_url"  # in a request's scope
Row = TypeVar("Row")


class Page(BaseModel, Generic[Row]):
    """One page of a list. The addresses keep the filters and the caller's own host."""

    count: int
    next: str | None
    previous: str | None
    results: list[Row]


class PageRequest(BaseModel):
    """The requested part of a list."""

    limit: int = DEFAULT_LIMIT
    offset: int = 0


async def read_paging(
    limit: Annotated[
        str | None,
        Query(description=f"rows of a page: {DEFAULT_LIMIT}, {MOST} at most"),
        Ignorable(lambda text: not _whole(text, 0)),
    ] = None,
    offset: Annotated[
        str | None,
        Query(description="rows before the page"),
        Ignorable(lambda text: _whole(text, -1) < 0),
    ] = None,
) -> PageRequest:
    """Read `limit` and `offset`; invalid values fall back to the default, as clients expect."""
    return PageRequest(
        limit=min(_whole(limit, DEFAULT_LIMIT) or DEFAULT_LIMIT, MOST), offset=_whole(offset, 0)
    )


Paging = Annotated[PageRequest, Depends(read_paging)]


def _whole(text: str | None, otherwise: int) -> int:
    if text is None or not (text.isascii() and text.isdigit()):
        return otherwise
    return min(int(text), FURTHEST) if len(text) < LONGEST_NUMBER else FURTHEST


def absolute(request: Request, path: str) -> str:
    """A full address as the caller would write it: its own scheme, host and port.

    The ONE client cuts its base address off by plain text, so nothing else may be there.
    """
    base: str | None = request.scope.get(_BASE_URL)
    if base is None:  # a page of datasets has a thousand addresses
        headers = request.headers
        scheme = headers.get("x-forwarded-proto") or request.url.scheme
        host = headers.get("x-forwarded-host") or headers.get("host") or request.url.netloc
        base = request.scope[_BASE_URL] = f"{scheme}://{host}"
    return base + path


def page(request: Request, paging: PageRequest, count: int, results: list[Row]) -> Page[Row]:
    """A page of rows."""
    following, previous = _neighbours(request, paging, count, len(results))
    return Page(count=count, next=following, previous=previous, results=results)


@dataclass(frozen=True)
class JsonPage:
    """How many rows there are, how many of them one page shows, the JSON array of these, and how many are flagged."""

    count: int
    n_results: int
    results: str
    n_flagged: int = 0


def json_page(request: Request, paging: PageRequest, rows: JsonPage) -> Response:
    """A page of rows whose JSON is already built; the route declares `response_model=Page[...]`."""
    following, previous = _neighbours(request, paging, rows.count, rows.n_results)
    head = json.dumps({"count": rows.count, "next": following, "previous": previous})
    return Response(f'{head[:-1]}, "results": {rows.results}}}', media_type="application/json")


def _neighbours(
    request: Request, paging: PageRequest, count: int, n_results: int
) -> tuple[str | None, str | None]:
    """The addresses of the next and the previous page."""

    def address(offset: int) -> str:
        filters = [(k, v) for k, v in request.query_params.multi_items() if k not in {"limit", "offset"}]
        query = urlencode([*filters, ("limit", paging.limit), ("offset", offset)])
        return f"{absolute(request, request.url.path)}?{query}"

    last = paging.offset + n_results
    return (
        address(last) if last < count and n_results else None,
        address(max(0, paging.offset - paging.limit)) if paging.offset else None,
    )

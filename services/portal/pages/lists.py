"""Filters and paging of a list page, from its query string."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request


@dataclass(frozen=True)
class ListQuery:
    """The filters that are set, and the offset and size of the page."""

    path: str
    filters: Mapping[str, str]
    offset: int
    limit: int

    @classmethod
    def of(cls, request: Request, names: tuple[str, ...], limit: int = 50) -> ListQuery:
        """Parse the query string of a request; other parameters are ignored."""
        params = request.query_params
        filters = {name: params[name].strip() for name in names if params.get(name, "").strip()}
        start = params.get("offset", "")
        offset = int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 0
        return cls(request.url.path, filters, offset, limit)

    def value(self, name: str) -> str:
        """Value of a filter; empty if it is not set."""
        return self.filters.get(name, "")

    def at(self, offset: int) -> str:
        """Address of another page of the same list.

        >>> ListQuery("/app/sessions", {"lab": "a b"}, 0, 50).at(50)
        '/app/sessions?lab=a+b&offset=50'
        """
        query = urlencode({**self.filters, **({"offset": offset} if offset else {})})
        return f"{self.path}?{query}" if query else self.path

    def changed(self, filters: Mapping[str, str]) -> str:
        """Address of the first page with other values of these filters; an empty value removes one.

        >>> ListQuery("/app/sessions", {"lab": "a"}, 50, 50).changed({"qc": "PASS", "lab": ""})
        '/app/sessions?qc=PASS'
        """
        others = {name: value for name, value in {**self.filters, **filters}.items() if value}
        return f"{self.path}?{urlencode(others)}" if others else self.path

    def paged(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Position of the page in the list, and the addresses of the previous and next page."""
        count, shown = answer["count"], len(answer["results"])
        return {
            "count": count,
            "first": self.offset + 1 if shown else 0,
            "last": self.offset + shown,
            "next": self.at(self.offset + shown) if self.offset + shown < count and shown else None,
            "previous": self.at(max(0, self.offset - self.limit)) if self.offset else None,
        }


def day_range(filters: Mapping[str, str]) -> str | None:
    """`from` and `to` as one range of the API; a missing bound is open.

    >>> day_range({"from": "2020-08-21"}), day_range({})
    ('2020-08-21,2999-12-31', None)
    """
    if "from" not in filters and "to" not in filters:
        return None
    return f"{filters.get('from', '1900-01-01')},{filters.get('to', '2999-12-31')}"

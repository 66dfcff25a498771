"""Filters and pages of a list, as a plain GET form writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request


@dataclass(frozen=True)
class Asked:
    """What the address asks for: filters that are set, and where the page begins."""

    path: str
    filters: Mapping[str, str]
    offset: int
    limit: int

    @classmethod
    def of(cls, request: Request, names: tuple[str, ...], limit: int = 50) -> Asked:
        """Read an address; whatever else it says is ignored."""
        given = request.query_params
        filters = {name: given[name].strip() for name in names if given.get(name, "").strip()}
        start = given.get("offset", "")
        offset = int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 0
        return cls(request.url.path, filters, offset, limit)

    def value(self, name: str) -> str:
        """What a filter is set to; empty for one that is not."""
        return self.filters.get(name, "")

    def at(self, offset: int) -> str:
        """The address of another page of the same list.

        >>> Asked("/app/sessions", {"lab": "a b"}, 0, 50).at(50)
        '/app/sessions?lab=a+b&offset=50'
        """
        query = urlencode({**self.filters, **({"offset": offset} if offset else {})})
        return f"{self.path}?{query}" if query else self.path

    def paged(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """What the page says of its place in the list."""
        count, shown = answer["count"], len(answer["results"])
        return {
            "count": count,
            "first": self.offset + 1 if shown else 0,
            "last": self.offset + shown,
            "next": self.at(self.offset + shown) if self.offset + shown < count and shown else None,
            "previous": self.at(max(0, self.offset - self.limit)) if self.offset else None,
        }


def day_range(filters: Mapping[str, str]) -> str | None:
    """`from` and `to` as the API's one range; a missing end is open.

    >>> day_range({"from": "2020-08-21"}), day_range({})
    ('2020-08-21,2999-12-31', None)
    """
    if "from" not in filters and "to" not in filters:
        return None
    return f"{filters.get('from', '1900-01-01')},{filters.get('to', '2999-12-31')}"

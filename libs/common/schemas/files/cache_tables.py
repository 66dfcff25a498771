"""Tables of the ONE client's cache."""

from __future__ import annotations

from pydantic import Field

from libs.common.schemas.base import Record


class CacheTable(Record):
    """One table of the cache."""

    nrecs: int
    size: int = Field(description="bytes")


class CacheInfo(Record):
    """Description of the tables, which the ONE client reads before it downloads them."""

    date_created: str = Field(description="local time without zone, as the client compares it")
    origin: str
    min_api_version: str
    location: str
    tables: dict[str, CacheTable]
    database_tags: list[str] | None = None

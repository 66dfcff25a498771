"""Downloads counted, and the ONE client's tables."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.files.values import Names


class NewDownload(BodyRecord):
    """Datasets that a user has downloaded."""

    datasets: Names = Field(max_length=5_000)
    user: str | None = None
    projects: Names | None = None


class DownloadsCounted(Record):
    """Counters after the download, in the order of the datasets."""

    download: list[UUID]
    count: list[int]


class Download(Record):
    """How often a person downloaded a dataset."""

    id: UUID
    user: str
    dataset: UUID
    count: int
    json_: Any | None = Field(alias="json")


class DownloadIn(BodyRecord):
    """A counter to be corrected."""

    count: int | None = Field(default=None, ge=0, lt=2**31)
    json_: Any | None = Field(default=None, alias="json")


class CacheTable(Record):
    """One table of the cache."""

    nrecs: int
    size: int = Field(description="bytes")


class CacheInfo(Record):
    """What the ONE client reads before it fetches the tables."""

    date_created: str = Field(description="local time without zone, as the client compares it")
    origin: str
    min_api_version: str
    location: str
    tables: dict[str, CacheTable]
    database_tags: list[str] | None = None

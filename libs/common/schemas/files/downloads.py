"""Counters of downloads."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.files.values import Names


class NewDownload(BodyRecord):
    """Datasets that a user downloaded."""

    datasets: Names = Field(max_length=5_000)
    user: str | None = None
    projects: Names | None = None


class DownloadsCounted(Record):
    """Counters after the download, in the order of the datasets."""

    download: list[UUID]
    count: list[int]


class Download(Record):
    """How often a user downloaded a dataset."""

    id: UUID
    user: str
    dataset: UUID
    count: int
    json_: Any | None = Field(alias="json")


class DownloadIn(BodyRecord):
    """Fields of a counter to correct."""

    not_blank: ClassVar[tuple[str, ...]] = ("user",)
    not_null: ClassVar[tuple[str, ...]] = ("count",)
    user: str | None = Field(default=None, description="as shown: a counter stays with its user")
    count: int | None = Field(default=None, ge=0, lt=2**31)
    json_: Any | None = Field(default=None, alias="json")

"""File records: copies of datasets' current versions, as Alyx shows them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record


class FileRecord(Record):
    """A copy of a dataset's current version in one repository."""

    id: UUID
    url: str
    dataset: str
    data_repository: str
    name: str
    json_: Any | None = Field(alias="json")
    relative_path: str
    exists: bool


class FileRecordIn(BodyRecord):
    """Fields of a file record to create or update."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("dataset", "data_repository")
    not_blank: ClassVar[tuple[str, ...]] = ("dataset", "data_repository", "relative_path", "name")
    not_null: ClassVar[tuple[str, ...]] = ("exists",)
    dataset: str | None = None
    data_repository: str | None = None
    name: str | None = Field(default=None, description="as shown: the last part of `relative_path`")
    relative_path: str | None = None
    exists: bool | None = None
    json_: Any | None = Field(default=None, alias="json")

"""Insertions: probes in sessions, as in Alyx."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.names import NormalName
from libs.common.schemas.sessions import Session


class Insertion(Record):
    """A probe in a session."""

    id: UUID
    session: UUID
    model: str | None
    session_info: Session
    name: str
    json_: Any | None = Field(alias="json")
    serial: str
    auto_datetime: str
    chronic_insertion: UUID | None = None
    datasets: list[Any]


class InsertionIn(BodyRecord):
    """A probe to create or update."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("name",)
    not_blank: ClassVar[tuple[str, ...]] = ("session", "name")
    not_null: ClassVar[tuple[str, ...]] = ("serial", "datasets")
    session: UUID | None = None
    model: str | None = None
    name: NormalName | None = Field(default=None, min_length=1, max_length=255)
    serial: str | None = None
    chronic_insertion: UUID | None = None
    json_: Any | None = Field(default=None, alias="json")
    datasets: list[Any] | None = Field(
        default=None, description="unchanged: they follow from the collections of the session's datasets"
    )

"""Locations: rigs and rooms, as in Alyx."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.names import NormalName


class Location(Record):
    """A rig or a room."""

    id: UUID
    name: str
    lab: str | None
    json_: Any | None = Field(alias="json")


class LocationIn(BodyRecord):
    """A place to create or update."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("name",)
    not_blank: ClassVar[tuple[str, ...]] = ("name",)
    name: NormalName | None = Field(default=None, min_length=1, max_length=255)
    lab: str | None = None
    json_: Any | None = Field(default=None, alias="json")

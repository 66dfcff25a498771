"""Fields of view: imaging planes of sessions, as in Alyx."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.fov_locations import FovLocationListed
from libs.common.schemas.names import NormalName


class FieldOfView(Record):
    """An imaging plane of a session, with its locations in the brain."""

    id: UUID
    imaging_type: str | None
    location: list[FovLocationListed] = Field(description="the default one first")
    name: str
    json_: Any | None = Field(alias="json")
    session: UUID
    stack: UUID | None
    datasets: list[UUID]


class FieldOfViewIn(BodyRecord):
    """A field of view to create or update."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("name", "session")
    not_blank: ClassVar[tuple[str, ...]] = ("session", "name")
    session: UUID | None = None
    name: NormalName | None = Field(default=None, min_length=1, max_length=255)
    imaging_type: str | None = None
    stack: UUID | None = None
    datasets: list[UUID] | None = Field(
        default=None,
        description="ids of datasets of the session; null: those in a collection whose second folder is the name",
    )
    json_: Any | None = Field(default=None, alias="json")

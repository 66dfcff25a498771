"""Projects, as in Alyx."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose
from libs.common.schemas.names import NormalName


class Project(Record):
    """A project, by name."""

    id: UUID
    name: str
    description: str
    users: list[str]
    is_private: bool


class ProjectIn(BodyRecord):
    """A project to create or update."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("name",)
    not_blank: ClassVar[tuple[str, ...]] = ("name",)
    not_null: ClassVar[tuple[str, ...]] = ("description", "users", "is_private")
    name: NormalName | None = Field(default=None, min_length=1, max_length=255)
    description: Prose | None = None
    users: list[str] | None = None
    is_private: bool | None = None

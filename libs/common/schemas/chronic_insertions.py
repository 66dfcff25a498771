"""Chronic insertions: probes that stay in an animal, as in Alyx."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose
from libs.common.schemas.insertions import Insertion
from libs.common.schemas.names import NormalName


class ChronicInsertion(Record):
    """A probe that stays in an animal, with its insertions in the sessions that recorded from it."""

    id: UUID
    name: str
    subject: str
    lab: str | None
    model: str | None
    start_time: str | None
    serial: str
    json_: Any | None = Field(alias="json")
    probe_insertion: list[Insertion]


class ChronicInsertionIn(BodyRecord):
    """A chronic insertion to create or update; it is an action on a subject."""

    not_blank: ClassVar[tuple[str, ...]] = ("subject",)
    not_null: ClassVar[tuple[str, ...]] = ("name", "serial", "users", "procedures", "narrative")
    name: NormalName | None = Field(default=None, max_length=255)
    subject: str | None = None
    lab: str | None = None
    model: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    serial: str | None = Field(default=None, max_length=255)
    location: str | None = None
    users: list[str] | None = None
    procedures: list[str] | None = None
    narrative: Prose | None = None
    json_: Any | None = Field(default=None, alias="json")

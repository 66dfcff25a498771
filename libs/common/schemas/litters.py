"""Litters."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.names import PlainName
from libs.common.schemas.times import Day


class Litter(Record):
    """A litter."""

    id: UUID
    name: str
    line: str | None
    birth_date: date | None


class LitterIn(BodyRecord):
    """A litter to create."""

    name: PlainName = Field(min_length=1, max_length=255)
    line: str | None = None
    birth_date: Day | None = None

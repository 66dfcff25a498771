"""Breeding lines."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.names import PlainName


class Line(Record):
    """A breeding line."""

    id: UUID
    name: str
    nickname: str
    alleles: list[str]
    strain: str | None
    lab: str | None


class LineIn(BodyRecord):
    """A line to create."""

    name: PlainName = Field(min_length=1, max_length=255)
    nickname: str = ""
    alleles: list[str] = Field(default_factory=list)
    strain: str | None = None
    lab: str | None = None

"""Terms of metadata's vocabularies, such as species and procedures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose
from libs.common.schemas.names import PlainName


class Term(Record):
    """A term of a vocabulary."""

    id: UUID
    name: str
    nickname: str
    description: str
    url: str
    json_: Any | None = Field(alias="json")


class TermIn(BodyRecord):
    """A term to add to a vocabulary."""

    name: PlainName = Field(min_length=1, max_length=255)
    nickname: str = ""
    description: Prose = ""
    json_: Any | None = Field(default=None, alias="json")

"""Imaging stacks: fields of view of one session, one above the other, as in Alyx."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BeforeValidator, Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.fields_of_view import FieldOfView
from libs.common.schemas.names import Title


class ImagingStackListed(Record):
    """An imaging stack as the list shows it."""

    id: UUID
    slices: list[FieldOfView] = Field(description="by name")


class ImagingStack(ImagingStackListed):
    """An imaging stack."""

    name: str
    json_: Any | None = Field(alias="json")


def _as_text(value: object) -> object:
    """Microscopes number their regions of interest, by which clients name stacks.

    >>> _as_text(3), _as_text("3")
    ('3', '3')
    """
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_SentName = Annotated[str, Field(max_length=255)] | int


class ImagingStackIn(BodyRecord):
    """An imaging stack to create; fields of view name it as theirs."""

    not_blank: ClassVar[tuple[str, ...]] = ("name",)
    name: Annotated[Title | None, BeforeValidator(_as_text, json_schema_input_type=_SentName)] = Field(
        default=None, max_length=255
    )
    json_: Any | None = Field(default=None, alias="json")

"""Notices on datasets, as in Alyx."""

from __future__ import annotations

from datetime import date
from enum import IntEnum
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose
from libs.common.schemas.files.values import Names
from libs.common.schemas.times import Day


class Importance(IntEnum):
    """How important a notice is, by Alyx's numbers."""

    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50


def parse_importance(value: Any) -> Importance:
    """An importance by number or by name. Raises ValueError.

    >>> parse_importance("warning"), parse_importance(40), parse_importance("50")
    (<Importance.WARNING: 30>, <Importance.ERROR: 40>, <Importance.CRITICAL: 50>)
    """
    text = str(value).strip().upper()
    for importance in Importance:
        if text in {importance.name, str(importance.value)}:
            return importance
    known = ", ".join(f"{importance.value} ({importance.name})" for importance in Importance)
    raise ValueError(f"'{value}' is none of {known}.")


_NUMBERS: Final = {"type": "integer", "enum": [importance.value for importance in Importance]}
ImportanceValue = Annotated[Importance, BeforeValidator(parse_importance), WithJsonSchema(_NUMBERS)]


class DataNotice(Record):
    """A notice on datasets."""

    id: UUID
    created_by: str | None
    datasets: list[UUID] = Field(description="those that the caller can see")
    description_html: str = Field(description="the description as HTML, without scripts and styles")
    name: str
    json_: Any | None = Field(alias="json")
    description: str = Field(description="Markdown")
    importance: int
    created_datetime: str
    version_affected: str
    affected_date_start: date | None
    affected_date_end: date | None


class DataNoticeIn(BodyRecord):
    """A notice to create or update; the user is the caller and the importance 20 unless stated."""

    not_null: ClassVar[tuple[str, ...]] = (
        "datasets",
        "name",
        "description",
        "importance",
        "version_affected",
    )
    created_by: str | None = None
    datasets: Names | None = Field(default=None, max_length=5_000, description="ids of datasets")
    name: str | None = Field(default=None, max_length=255)
    json_: Any | None = Field(default=None, alias="json")
    description: Prose | None = Field(default=None, description="Markdown; HTML in it is shown as text")
    importance: ImportanceValue | None = Field(
        default=None, description="20 info, 30 warning, 40 error, 50 critical; or the name"
    )
    version_affected: str | None = Field(default=None, max_length=64)
    affected_date_start: Day | None = None
    affected_date_end: Day | None = None

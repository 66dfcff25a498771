"""The base classes of everything that crosses HTTP or the bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema

from libs.common.schemas.absence import is_filled, is_sent, with_values
from libs.common.schemas.bounded import bounded
from libs.common.schemas.coercion import EXACT, LENIENT
from libs.common.schemas.unknown_fields import note_unknown


class Schema(BaseModel):
    """A schema of our own: unknown fields are refused by name, and NaN is invalid."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, from_attributes=True, allow_inf_nan=False, populate_by_name=True
    )


class Record(BaseModel):
    """A schema of Alyx's contract: unknown fields are ignored, as its clients send more than needed."""

    model_config = ConfigDict(extra="ignore", from_attributes=True, populate_by_name=True)


class _Bounded(BaseModel):
    _checks: ClassVar[Mapping[str, Callable[[Any], Any]]] = EXACT

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: CoreSchema = bounded(handler(source), cls._checks)
        return schema


class BodySchema(_Bounded, Schema):
    """The body of a request in a schema of our own: its texts, lists and free values have limits."""


class BodyRecord(_Bounded, Record):
    """The body of a request in a schema of Alyx's contract: its texts, lists and free values have limits.

    Fields that it does not have are noted for the response.

    `needed_by_put` are the fields without which a PUT is refused, as in Alyx; the other fields, and all fields of a
    PATCH, keep their value where they are absent.
    `not_blank` are those that are refused if they are null or empty, `not_null` those that may be empty, by their names
    in the JSON: null clears all others.
    """

    _checks = LENIENT
    needed_by_put: ClassVar[tuple[str, ...]] = ()
    not_blank: ClassVar[tuple[str, ...]] = ()
    not_null: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _note_unknown(cls, value: Any) -> Any:
        if isinstance(value, dict):
            note_unknown(cls, value)
        return value

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of the class, in which the fields of `not_blank` and `not_null` take no null."""
        schema: CoreSchema = with_values(
            super().__get_pydantic_core_schema__(source, handler),
            dict.fromkeys(cls.not_null, is_sent) | dict.fromkeys(cls.not_blank, is_filled),
        )
        return schema

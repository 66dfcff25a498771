"""The filters of a list as one class: each field is a query parameter with its type, description and condition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from libs.common.db.conditions import Condition, Conditions, KnownCondition
from libs.common.db.naming import has_id_or_name
from libs.common.filters.conditions import parse_filter, parse_json_filter
from libs.common.filters.fields import FieldMap
from libs.common.filters.known_shapes import to_condition
from libs.common.problem import BadRequest
from libs.common.visibility import Visibility

RECENT: Final = 500  # requests of a process whose conditions are kept; a few kilobytes each
MOST_CHARACTERS: Final = 2_000  # of such a request's filters: long lists of ids would take memory


@dataclass(frozen=True, eq=False)
class Where:
    """The rows that a filter keeps, by its value."""

    condition: Callable[[Any], Condition]

    def of(self, _visibility: Visibility, value: Any, _name: str) -> Condition:
        """The condition for one value."""
        return self.condition(value)


@dataclass(frozen=True, eq=False)
class WhereTrue:
    """The rows that a truth filter keeps when it is true; when it is false it keeps the others."""

    condition: Condition

    def of(self, _visibility: Visibility, value: Any, _name: str) -> Condition:
        """The condition, or its opposite."""
        return self.condition if value else sa.not_(self.condition)


@dataclass(frozen=True, eq=False)
class WhereVisible:
    """The same as `Where`, for conditions over other objects, of which the caller's visibility decides."""

    condition: Callable[[Visibility, Any], Condition]

    def of(self, visibility: Visibility, value: Any, _name: str) -> Condition:
        """The condition for one value and caller."""
        return self.condition(visibility, value)


@dataclass(frozen=True, eq=False)
class FreeFilter:
    """Alyx's free filters over a field map: `django=`, or a JSON field's `json=` and `extended_qc=`."""

    fields: FieldMap

    def of(self, visibility: Visibility, value: Any, name: str) -> Condition | KnownCondition:
        """The condition. Raises UnknownFilter and BadFilterValue."""
        parse = parse_filter if name == "django" else parse_json_filter
        return to_condition(parse(value, self.fields, name), visibility)


@dataclass(frozen=True, eq=False)
class Combined:
    """Marks a field whose condition depends on other fields: `combined()` of its class makes it."""


@dataclass(frozen=True, eq=False)
class Refused:
    """Marks a parameter of Alyx's contract that no rows can be compared with; its description states why."""


def parameter(description: str, *, alias: str | None = None) -> Any:
    """The description of a filter; `alias` is the parameter's name where a field cannot have it, such as `json`."""
    return Field(default_factory=_absent, description=description, alias=alias)


def _absent() -> Any:  # a factory: a default of None would be published as one of the filter's values
    return None


class ListFilters(BaseModel):
    """Base class of the filters of a list; use as `filters: Annotated[SubjectFilters, Query()]`.

    class SubjectFilters(ListFilters):
        nickname: Annotated[Text, Where(lambda value: SubjectRow.nickname == value)] = parameter("Nickname.")
        project: Annotated[Text, WhereVisible(in_project)] = parameter("Name of a project of the subject.")
        django: Annotated[Text, FreeFilter(SUBJECT_MAP)] = parameter("Alyx's free filter: `field,value,…`.")

    Raises TypeError when a class is made whose field has no description or no condition.
    """

    model_config = ConfigDict(
        extra="ignore", frozen=True, populate_by_name=True, arbitrary_types_allowed=True
    )
    _all_makers: ClassVar[tuple[tuple[str, FieldInfo, Any], ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            if not field.description:
                raise TypeError(f"{cls.__name__}.{name} has no description: set it by parameter(...)")
            makers = _makers(field)
            if len(makers) != 1:
                raise TypeError(f"{cls.__name__}.{name} needs one condition, and has {len(makers)}")
            if isinstance(makers[0], Combined) and cls.combined is ListFilters.combined:
                raise TypeError(f"{cls.__name__}.{name} is Combined, but combined() makes no condition")
        cls._all_makers = tuple((name, field, _makers(field)[0]) for name, field in cls.model_fields.items())

    def conditions(self, visibility: Visibility) -> Sequence[Condition]:
        """The conditions of all filters that are present; those of recent requests are not built again.

        Raises BadRequest for a refused one, UnknownFilter and BadFilterValue of free filters.
        """
        length = sum(_length(getattr(self, name)) for name in self.model_fields_set)
        if length > MOST_CHARACTERS:
            return self.build_conditions(visibility)
        return _recent(self, visibility, visibility.caller)

    def build_conditions(self, visibility: Visibility) -> Conditions:
        """The same, built now. What a condition depends on is in the filters or in the visibility."""
        conditions = []
        for name, field, maker in self._all_makers:
            if name not in self.model_fields_set:
                continue
            value = getattr(self, name)
            if isinstance(maker, Combined) or value is None or value in ("", ()):
                continue
            if isinstance(maker, Refused):
                raise BadRequest(fields={field.alias or name: [str(field.description)]})
            conditions.append(maker.of(visibility, value, field.alias or name))
        return Conditions((*conditions, *self.combined(visibility)))

    def combined(self, _visibility: Visibility) -> list[Condition]:
        """The conditions of fields that are marked `Combined`."""
        return []


@lru_cache(maxsize=RECENT)
def _recent(filters: ListFilters, visibility: Visibility, _caller: object) -> Conditions:
    return filters.build_conditions(visibility)


def _length(value: Any) -> int:
    """The characters of a value of a filter."""
    if isinstance(value, tuple):
        return sum(map(_length, value))
    return len(value if isinstance(value, str) else str(value))


def _makers(field: FieldInfo) -> list[Any]:
    kinds = (Where, WhereTrue, WhereVisible, FreeFilter, Combined, Refused)
    return [metadata for metadata in field.metadata if isinstance(metadata, kinds)]


def contains(column: Any, text: str) -> Condition:
    """A column contains a text, ignoring case; `%` and `_` mean themselves."""
    condition: Condition = column.icontains(text, autoescape=True)
    return condition


def is_any_of(column: Any, texts: Sequence[str]) -> Condition:
    """A column is one of the texts, ignoring case."""
    condition: Condition = sa.func.lower(column).in_([sa.func.lower(text) for text in texts])
    return condition


def is_named(name: Any, row_id: Any, text: str) -> Condition:
    """A row has this id or this name: Alyx takes the one or the other, by the list."""
    return has_id_or_name(row_id, name, text)


def is_on_clock(column: Any, when: datetime) -> Condition:
    """A time that is stored as text, by a lab's own clock."""
    condition: Condition = sa.cast(column, sa.TIMESTAMP(timezone=False)) == when
    return condition


def is_at(column: Any, when: datetime) -> Condition:
    """An instant, which answers show in UTC."""
    condition: Condition = column == when.replace(tzinfo=UTC)
    return condition

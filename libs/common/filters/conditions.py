"""From filter texts to conditions: names resolved in the field map, values of the kind they are compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from sqlalchemy import FromClause

from libs.common.filters.fields import Field, FieldMap, JsonField, Kind, Relation
from libs.common.filters.names import ORDERS, TEXT_LOOKUPS, compared_kind, place_of
from libs.common.filters.patterns import checked_pattern
from libs.common.filters.problems import BadFilterValue
from libs.common.filters.texts import (
    LONGEST_TEXT,
    Literal,
    is_bracketed,
    is_storable,
    parse_literal,
    split_pairs,
    word,
)
from libs.common.filters.values import in_utc, items_of, to_bool, to_kind

MOST_CROSSING: Final = 10  # pairs that follow a relation: the time to plan a statement grows with each


@dataclass(frozen=True, eq=False)
class FilterCondition:
    """One pair of a filter text, ready to become SQL.

    fields     the map that it was parsed with
    hops       the relations to follow, outermost first
    keyed      the relation whose key column is compared in the place of the row it points at
    part       of a time, that is compared in its place: date, year, month, day, week_day (Sunday is 1), hour, minute
    json_path  keys and indices to follow into a JSON field
    value      of the kind that `lookup` compares with; a list for in, range, has_keys and has_any_keys
    """

    name: str
    fields: FieldMap
    hops: tuple[Relation, ...]
    leaf: Field | JsonField
    lookup: str
    value: object
    part: str = ""
    json_path: tuple[str, ...] = ()
    negated: bool = False
    keyed: Relation | None = None

    @property
    def source(self) -> FromClause:
        """Of its map."""
        return self.fields.source


def parse_filter(text: str, fields: FieldMap, parameter: str = "django") -> list[FilterCondition]:
    """The conditions of a `django=` text, all of which must hold.

    `~` before a field negates, `pk` is the primary key, `__` follows relations and JSON paths; without look-up it is
    `exact`. Raises UnknownFilter and BadFilterValue, nothing else.
    """
    conditions = [_condition(name, value, fields) for name, value in split_pairs(text, parameter)]
    if sum(bool(condition.hops or condition.keyed) for condition in conditions) > MOST_CROSSING:
        raise BadFilterValue(
            parameter,
            f"at most {MOST_CROSSING} of its pairs may follow a relation such as subject__nickname: combine "
            "values with __in, or split the request.",
        )
    return conditions


def parse_json_filter(text: str, fields: FieldMap, parameter: str) -> list[FilterCondition]:
    """The conditions of a `json=` or `extended_qc=` text: as above, but the names are paths inside that field.

    A text that is an object in JSON is compared with the whole field.
    """
    if text.lstrip()[:1] == "{":
        return [condition_on(parameter, _read_object(text, parameter), fields)]
    pairs = split_pairs(text, parameter)
    return [
        _condition(f"{'~' * name.startswith('~')}{parameter}__{name.removeprefix('~')}", value, fields)
        for name, value in pairs
    ]


def _read_object(text: str, parameter: str) -> object:
    if len(text) > LONGEST_TEXT or not is_storable(text):
        raise BadFilterValue(parameter, "it is too long, or contains characters that cannot be stored.")
    try:
        return parse_literal(text)
    except ValueError as error:
        raise BadFilterValue(parameter, f"{error}.") from None


def condition_on(name: str, value: object, fields: FieldMap) -> FilterCondition:
    """The condition of a parameter of its own, such as `projects=`: the value is compared as it is.

    Thus such a parameter goes the same way over relations as the free filter does, and sees no more.
    """
    place, (lookup, part, path) = place_of(name, fields)
    return FilterCondition(name, fields, place.hops, place.leaf, lookup, value, part, path, keyed=place.keyed)


def _condition(written: str, value: str, fields: FieldMap) -> FilterCondition:
    name = written.removeprefix("~")
    place, (lookup, part, path) = place_of(name, fields)
    try:
        if isinstance(place.leaf, JsonField):
            typed = _json_value(lookup, value)
        else:
            lookup, typed = _plain_value(lookup, value, compared_kind(place.leaf, part), place.leaf)
    except ValueError as error:
        raise BadFilterValue(written, f"{error}.") from None
    negated = written.startswith("~")
    return FilterCondition(
        written, fields, place.hops, place.leaf, lookup, typed, part, path, negated, place.keyed
    )


def _plain_value(lookup: str, text: str, kind: Kind, leaf: Field) -> tuple[str, object]:
    """The look-up, as `exact,None` is another way to say isnull, and its value."""
    if lookup in {"exact", "iexact"} and text.strip() == "None":
        return "isnull", True
    if lookup == "isnull":
        return lookup, to_bool(text)
    if lookup in TEXT_LOOKUPS:
        return lookup, _text(lookup, text, leaf)
    read_value = _reader(kind, leaf)
    if lookup == "in":
        return lookup, [read_value(item) for item in items_of(text) if item is not None]
    if lookup == "range":
        return lookup, _both_ends([read_value(item) for item in items_of(text)])
    return lookup, read_value(text)


def _text(lookup: str, text: str, leaf: Field) -> str:
    if lookup in {"regex", "iregex"}:
        return checked_pattern(text)
    return leaf.spelled(text) if lookup == "iexact" and leaf.spelled else text


def _reader(kind: Kind, leaf: Field) -> Callable[[Literal], object]:
    if leaf.spelled:
        spelled = leaf.spelled
        return lambda item: spelled(str(to_kind(item, kind)))
    if kind != "datetime":
        return lambda item: to_kind(item, kind)
    aware = is_aware(leaf)
    return lambda item: in_utc(cast(datetime, to_kind(item, kind)), aware=aware)


def is_aware(leaf: Field) -> bool:
    """Whether a column of kind datetime holds times with a zone."""
    return bool(getattr(leaf.column.type, "timezone", False))


def _json_value(lookup: str, text: str) -> object:
    if lookup in ORDERS:
        return _ordered(_plain_word(text))
    return _JSON_READERS.get(lookup, word)(text)


def _json_items(text: str) -> list[str | int | float | bool | None]:
    """The items of a list as they are quoted; one bare value as the word it is."""
    items = items_of(text) if is_bracketed(text) else [word(text)]
    if any(isinstance(item, list | dict) for item in items):
        raise ValueError("items of a list must be single values")
    return cast(list[str | int | float | bool | None], items)


def _plain_word(text: str) -> str | int | float | bool | None:
    if is_bracketed(text):
        raise ValueError("a single value is required, not a list")
    return _json_items(text)[0]


def _ordered(value: str | float | bool | None) -> str | int | float:
    if value is None or isinstance(value, bool):
        raise ValueError("only numbers and text can be ordered")
    return value


def _both_ends(values: Sequence[object]) -> list[object]:
    if len(values) != 2:
        raise ValueError("a range has the form [from, to]")
    return list(values)


def _as_it_is(text: str) -> str:
    return text


_JSON_READERS: Final[dict[str, Callable[[str], object]]] = {
    "isnull": to_bool,
    "has_key": _as_it_is,
    "has_keys": lambda text: [str(item) for item in items_of(text)],
    "has_any_keys": lambda text: [str(item) for item in items_of(text)],
    "in": _json_items,
    "range": lambda text: _both_ends([_ordered(item) for item in _json_items(text)]),
    "exact": word,
    "contains": word,
    "regex": checked_pattern,
    "iregex": checked_pattern,
    **dict.fromkeys(TEXT_LOOKUPS - {"contains", "regex", "iregex"}, _as_it_is),
}

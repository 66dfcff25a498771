"""Whether a row fulfils a condition, worked out in plain Python."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.support.oracle.data import Data, Row
from tests.support.oracle.kinds import KINDS, Kind

MISSING = object()  # there is nothing at a path of a JSON value


@dataclass(frozen=True)
class Condition:
    """One pair: relations to follow, then a field (or the row itself), a part of a time or keys of JSON, a lookup."""

    relations: tuple[str, ...]
    field: str | None
    part: str
    path: tuple[str, ...]
    lookup: str
    value: Any
    negated: bool = False


def holds(data: Data, kind: str, row: Row, condition: Condition) -> bool:
    """Whether the row is kept: a negated condition keeps what the plain one does not."""
    return _reaches(data, KINDS[kind], row, condition, condition.relations) != condition.negated


def _reaches(data: Data, kind: Kind, row: Row, condition: Condition, relations: tuple[str, ...]) -> bool:
    if not relations:
        return _test(condition, _value(data, kind, row, condition))
    name, *rest = relations
    target, follow = kind.relations[name]
    rows = [other for other in follow(data, row) if _is_of(KINDS[target], other)]
    is_absence = condition.lookup == "isnull" and condition.value is True
    if not rows:
        return is_absence
    return any(_reaches(data, KINDS[target], other, condition, tuple(rest)) for other in rows)


def _is_of(kind: Kind, row: Row) -> bool:
    return all(row[name] == value for name, value in kind.values.items())


def _value(data: Data, kind: Kind, row: Row, condition: Condition) -> Any:
    _, value_of = kind.fields[condition.field or kind.key]
    value = value_of(data, row)
    if condition.part and value is not None:
        return _PARTS[condition.part](value)
    for key in condition.path:
        value = _step(value, key)
    return value


def _step(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return value.get(key, MISSING)
    if isinstance(value, list) and re.fullmatch(r"\d+", key) and int(key) < len(value):
        return value[int(key)]
    return MISSING


def _test(condition: Condition, value: Any) -> bool:
    is_null = value is MISSING or (value is None and not condition.path)
    if condition.lookup == "isnull":
        return bool(is_null == condition.value)
    if is_null:  # nothing is equal to it, except None where a whole field is compared
        return condition.lookup == "exact" and condition.value is None and not condition.path
    is_json = bool(condition.path) or isinstance(value, dict | list)
    lookup = (_JSON if is_json else _PLAIN).get(condition.lookup) or _TEXT[condition.lookup]
    if condition.lookup in _TEXT and lookup is _TEXT[condition.lookup]:
        written = _written(value)
        return written is not None and lookup(written, condition.value)
    return lookup(value, condition.value)


def _written(value: Any) -> str | None:
    """A value as text, as the database writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value)
    return None if value is None else str(value)


def _same(left: Any, right: Any) -> bool:
    """Equal in JSON, where true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return (
        type(left) is type(right) and left == right
        if not _is_number(left)
        else _is_number(right) and left == right
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(left: Any, right: Any) -> bool:
        alike = (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str))
        return alike and compare(left, right)

    return test


def _contains(outer: Any, inner: Any) -> bool:
    """JSON containment: an object has the members, an array has a match for each item or for the plain value."""
    if isinstance(outer, dict) and isinstance(inner, dict):
        return all(key in outer and _contains(outer[key], value) for key, value in inner.items())
    if isinstance(outer, list):
        items = inner if isinstance(inner, list) else [inner]
        if isinstance(inner, dict):
            return False
        return all(any(_contains(item, value) for item in outer) for value in items)
    return _same(outer, inner)


def _keys(value: Any) -> list[str]:
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return [value] if isinstance(value, str) else []


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
    "range": lambda value, ends: ends[0] <= value <= ends[1],
}
_PLAIN: dict[str, Callable[[Any, Any], bool]] = _ORDERS | {
    "exact": lambda left, right: bool(left == right),
    "in": lambda value, items: value in items,
}
_JSON: dict[str, Callable[[Any, Any], bool]] = {
    **{name: _ordered(compare) for name, compare in _ORDERS.items() if name != "range"},
    "exact": _same,
    "in": lambda value, items: any(_same(value, item) for item in items),
    "contains": _contains,
    "has_key": lambda value, key: key in _keys(value),
    "has_keys": lambda value, keys: all(key in _keys(value) for key in keys),
    "has_any_keys": lambda value, keys: any(key in _keys(value) for key in keys),
}
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "iexact": lambda text, value: text.lower() == value.lower(),
    "contains": lambda text, value: value in text,
    "icontains": lambda text, value: value.lower() in text.lower(),
    "startswith": lambda text, value: text.startswith(value),
    "istartswith": lambda text, value: text.lower().startswith(value.lower()),
    "endswith": lambda text, value: text.endswith(value),
    "iendswith": lambda text, value: text.lower().endswith(value.lower()),
    "regex": lambda text, value: re.search(value, text) is not None,
    "iregex": lambda text, value: re.search(value, text, re.IGNORECASE) is not None,
}
_PARTS: dict[str, Callable[[Any], Any]] = {
    "date": datetime.date,
    "year": lambda when: when.year,
    "month": lambda when: when.month,
    "day": lambda when: when.day,
    "hour": lambda when: when.hour,
    "minute": lambda when: when.minute,
    "week_day": lambda when: date.isoweekday(when) % 7 + 1,
}
TEXT_LOOKUPS = tuple(_TEXT)
ORDERS = tuple(_ORDERS)

"""The values of a condition as its SQL compares with them, and what of them the SQL depends on."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, cast

from libs.common.filters.conditions import FilterCondition
from libs.common.filters.fields import JsonField

_BEFORE: Final = {"startswith": "", "endswith": "%", "contains": "%"}  # lookups that become LIKE
_AFTER: Final = {"startswith": "%", "endswith": "", "contains": "%"}


def bound_values(condition: FilterCondition) -> tuple[object, ...]:
    """The values of the parameters of a condition's SQL, in their order."""
    lookup, value = condition.lookup, condition.value
    if lookup == "isnull" or is_test_for_null(condition):
        return ()
    if lookup == "range":
        return tuple(cast(list[object], value))
    is_containment = lookup == "contains" and isinstance(condition.leaf, JsonField)
    kind = lookup.removeprefix("i")
    if kind in _BEFORE and not is_containment:
        escaped = str(value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return (f"{_BEFORE[kind]}{escaped}{_AFTER[kind]}",)
    return (value,)


def is_test_for_null(condition: FilterCondition) -> bool:
    """Whether a whole JSON field is tested for null."""
    if not isinstance(condition.leaf, JsonField) or condition.json_path:
        return False
    return condition.lookup == "isnull" or (condition.lookup == "exact" and condition.value is None)


def sql_shape(condition: FilterCondition) -> Hashable:
    """Conditions of the same shape have the same SQL but for their `bound_values`, where one caller sends both."""
    value = condition.value
    kind: Hashable
    if condition.lookup == "isnull":
        kind = bool(value)
    elif condition.lookup == "range":
        kind = tuple(map(type, cast(list[object], value)))
    else:
        kind = (type(value), bool(value))
    return condition.fields, condition.name, condition.lookup, kind

"""Conditions by chance, of values that the rows have and of others, and as the text that a client would send."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tests.support.oracle.data import Data
from tests.support.oracle.evaluate import ORDERS, TEXT_LOOKUPS, Condition
from tests.support.oracle.kinds import KINDS

_TIME_PARTS = {"date": "date", "year": "int", "month": "int", "day": "int", "week_day": "int"}
_CLOCK_PARTS = _TIME_PARTS | {"hour": "int", "minute": "int"}
_PARTS = {"clock": _CLOCK_PARTS, "instant": _CLOCK_PARTS, "date": {**_TIME_PARTS}}
_ABSENT: dict[str, tuple[Any, ...]] = {
    "text": ("nothing", "%", "_", "KS00", "a.b"),
    "int": (-1, 0, 7, 2**40),
    "float": (0.0, -1.5, 20.25),
    "uuid": (UUID("00000000-0000-4000-8000-000000000001"),),
    "date": (date(2024, 3, 3), date(1999, 1, 1)),
    "clock": (datetime(2024, 3, 3, 12), datetime(1999, 1, 1)),  # noqa: DTZ001 - as clocks show it
    "json": (0, "nothing", True, None, ["a"], {"a": 1}),
}
_ABSENT["instant"] = _ABSENT["clock"]


class Generator:
    """Draws conditions on one kind of rows; the same seed draws the same."""

    def __init__(self, data: Data, kind: str, seed: int) -> None:
        self.data, self.kind = data, kind
        self.chance = random.Random(f"{kind} {seed}")

    def conditions(self) -> list[Condition]:
        """One to three conditions, which have to hold together."""
        return [self._condition() for _ in range(self.chance.choice((1, 1, 1, 2, 2, 3)))]

    def _condition(self) -> Condition:
        relations: list[str] = []
        kind = self.kind
        while KINDS[kind].relations and len(relations) < 4 and self.chance.random() < 0.5:
            name = self.chance.choice(sorted(KINDS[kind].relations))
            relations.append(name)
            kind = KINDS[kind].relations[name][0]
        is_row_itself = bool(relations) and self.chance.random() < 0.15
        field = None if is_row_itself else self.chance.choice(sorted(KINDS[kind].fields))
        type_ = KINDS[kind].fields[field or KINDS[kind].key][0]
        part = ""
        path: tuple[str, ...] = ()
        if type_ in _PARTS and self.chance.random() < 0.5:
            part = self.chance.choice(sorted(_PARTS[type_].keys() - ({"date"} if type_ == "date" else set())))
        values = self._values(kind, field or KINDS[kind].key)
        if part:
            values = [_part(value, part) for value in values if value is not None]
            type_ = _PARTS[type_][part]
        if type_ == "json":
            path, values = self._path(values)
        lookup, value = self._lookup(type_, [value for value in values if value is not None], path)
        return Condition(tuple(relations), field, part, path, lookup, value, self.chance.random() < 0.25)

    def _values(self, kind: str, field: str) -> list[Any]:
        rows = self.data.rows(KINDS[kind].table, **KINDS[kind].values)
        return [KINDS[kind].fields[field][1](self.data, row) for row in rows]

    def _path(self, values: list[Any]) -> tuple[tuple[str, ...], list[Any]]:
        """A way into the JSON values, and what is there."""
        path: list[str] = []
        while (objects := [value for value in values if isinstance(value, dict) and value]) and (
            self.chance.random() < 0.8
        ):
            key = self.chance.choice(sorted({key for value in objects for key in value}))
            path.append(key)
            values = [value[key] for value in objects if key in value]
        if self.chance.random() < 0.1:
            path.append("nowhere")
        return tuple(path), values

    def _lookup(self, type_: str, values: list[Any], path: tuple[str, ...]) -> tuple[str, Any]:
        if self.chance.random() < 0.12:
            return "isnull", self.chance.random() < 0.5
        if type_ == "bool":
            return "exact", self.chance.random() < 0.5
        choices = [value for value in values if _is_sendable(value)] or [None]
        value = self.chance.choice(choices)
        if value is None or self.chance.random() < 0.25:
            value = self.chance.choice(_ABSENT[type_])
        if type_ == "json":
            return self._json_lookup(value, path)
        if type_ in {"text", "uuid", "int"} and self.chance.random() < (0.5 if type_ == "text" else 0.1):
            return self._text_lookup(str(value))
        lookup = self.chance.choice(("exact", "exact", "in", *ORDERS))
        others = [self.chance.choice(choices) or value for _ in range(2)]
        if lookup == "in":
            return lookup, [value, *others]
        return lookup, sorted([value, others[0]]) if lookup == "range" else value

    def _text_lookup(self, text: str) -> tuple[str, str]:
        lookup = self.chance.choice(TEXT_LOOKUPS)
        start = self.chance.randrange(len(text)) if text else 0
        piece = text[start : start + self.chance.randint(1, 6)] if self.chance.random() < 0.7 else text
        if lookup.startswith("i") and self.chance.random() < 0.5:
            piece = piece.swapcase()
        return lookup, re.escape(piece) if "regex" in lookup else piece

    def _json_lookup(self, value: Any, path: tuple[str, ...]) -> tuple[str, Any]:
        keys = ["rig", "tip", "nothing"]
        lookup = self.chance.choice(
            ("exact", "contains", "has_key", "has_any_keys", "has_keys")
            if isinstance(value, dict | list)
            else ("exact", "exact", "contains", "in", "gt", "lte", "icontains", "has_key")
        )
        if lookup == "has_key":
            return lookup, self.chance.choice(keys)
        if lookup in {"has_keys", "has_any_keys"}:
            return lookup, self.chance.sample(keys, 2)
        if lookup == "in":
            return lookup, [value, "nothing", 7]
        if lookup in {"gt", "lte"} and not (
            isinstance(value, str | int | float) and not isinstance(value, bool)
        ):
            return "exact", value
        if lookup == "icontains":
            return (lookup, "a") if path else ("has_key", "rig")
        return lookup, value


def _part(value: Any, part: str) -> Any:
    if part == "date":
        return value.date()
    return value.isoweekday() % 7 + 1 if part == "week_day" else getattr(value, part)


def _is_sendable(value: Any) -> bool:
    """A text that means itself between two commas."""
    if not isinstance(value, str):
        return True
    return (
        bool(value)
        and not re.search(r"[\[\](){},'\"\\]|^\s|\s$", value)
        and value not in {"None", "True", "7"}
    )


def text_of(conditions: list[Condition]) -> str:
    """The conditions as `field,value,field,value`."""
    return ",".join(piece for condition in conditions for piece in _pair(condition))


def _pair(condition: Condition) -> Iterator[str]:
    leaf = condition.field or ("" if condition.relations else "pk")
    lookup = "" if condition.lookup == "exact" else condition.lookup
    parts = [*condition.relations, leaf, condition.part, *condition.path, lookup]
    yield ("~" if condition.negated else "") + "__".join(filter(None, parts))
    yield _written(condition.value)


def _written(value: Any) -> str:
    if isinstance(value, list):
        return repr([item if isinstance(item, int | float | type(None)) else _plain(item) for item in value])
    return repr(value) if isinstance(value, dict) else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)

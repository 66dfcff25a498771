"""Where a filter's name leads: over relations to a field, its part or JSON path, and the look-up behind it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from libs.common.filters.fields import Field, FieldMap, JsonField, Kind, Relation
from libs.common.filters.problems import UnknownFilter

ORDERS: Final = frozenset({"gt", "gte", "lt", "lte"})
TEXT_LOOKUPS: Final = frozenset(
    {
        "iexact",
        "contains",
        "icontains",
        "startswith",
        "istartswith",
        "endswith",
        "iendswith",
        "regex",
        "iregex",
    }
)
KEY_LOOKUPS: Final = frozenset({"has_key", "has_keys", "has_any_keys"})
PLAIN_LOOKUPS: Final = frozenset({"exact", "in", "range", "isnull"}) | ORDERS | TEXT_LOOKUPS
JSON_LOOKUPS: Final = PLAIN_LOOKUPS | KEY_LOOKUPS
PARTS: Final[dict[str, frozenset[Kind]]] = {
    "date": frozenset({"datetime"}),
    "year": frozenset({"datetime", "date"}),
    "month": frozenset({"datetime", "date"}),
    "day": frozenset({"datetime", "date"}),
    "week_day": frozenset({"datetime", "date"}),
    "hour": frozenset({"datetime"}),
    "minute": frozenset({"datetime"}),
}
MOST_HOPS: Final = 5  # relations that one name may follow; the longest that clients send is 3
_LONGEST_PATH = 20
_PLACES: Final = 1_000  # of names in a process, to be found once
_LONGEST_KEPT: Final = 200  # characters of such a name


@dataclass(frozen=True, eq=False)
class Place:
    """Where a name leads, and what of it is left over behind the field."""

    hops: tuple[Relation, ...]
    leaf: Field | JsonField
    rest: list[str]
    keyed: Relation | None = None


_Comparison = tuple[str, str, tuple[str, ...]]


def place_of(name: str, fields: FieldMap) -> tuple[Place, _Comparison]:
    """Where a name leads, and its look-up, part of a time and JSON path. Raises UnknownFilter."""
    return (_recent_place if len(name) <= _LONGEST_KEPT else _find_place)(name, fields)


def _find_place(name: str, fields: FieldMap) -> tuple[Place, _Comparison]:
    place = _resolve(name, fields)
    return place, _split_rest(name, place)


_recent_place = lru_cache(maxsize=_PLACES)(_find_place)


def _resolve(name: str, fields: FieldMap) -> Place:
    """Follow relations as far as they go."""
    hops: list[Relation] = []
    segments = name.split("__")
    while True:
        first, *rest = segments
        entry = fields.fields.get(fields.primary_key if first == "pk" else first)
        if entry is None and isinstance(fields.fields.get(first.removesuffix("_id")), Relation):
            entry, rest = fields.fields[first.removesuffix("_id")], ["pk", *rest]
        if entry is None:
            known = ", ".join(sorted(fields.fields))
            raise UnknownFilter(name, f"{first!r} is not a field of {fields.noun}; known fields: {known}.")
        if not isinstance(entry, Relation):
            return Place(tuple(hops), entry, rest)
        target = entry.target()
        if not rest or (len(rest) == 1 and rest[0] in PLAIN_LOOKUPS and rest[0] not in target.fields):
            rest = ["pk", *rest]
        if entry.shown is not None and rest[0] in entry.shown.target().fields:
            entry = entry.shown
            target = entry.target()
        if entry.key is not None and rest[0] in {"pk", target.primary_key}:
            return Place(tuple(hops), Field(entry.key, target.key_field().kind), rest[1:], entry)
        if len(hops) == MOST_HOPS:
            raise UnknownFilter(name, f"it follows more than {MOST_HOPS} relations.")
        hops.append(entry)
        fields, segments = target, rest


def _split_rest(name: str, place: Place) -> _Comparison:
    """Look-up, part of a time, and JSON path."""
    rest = list(place.rest)
    lookups = JSON_LOOKUPS if isinstance(place.leaf, JsonField) else PLAIN_LOOKUPS
    lookup = rest.pop() if rest and rest[-1] in lookups else "exact"
    if isinstance(place.leaf, JsonField):
        if len(rest) > _LONGEST_PATH:
            raise UnknownFilter(name, f"the path has more than {_LONGEST_PATH} steps.")
        return lookup, "", tuple(rest)
    part = rest.pop(0) if rest and place.leaf.kind in PARTS.get(rest[0], frozenset()) else ""
    is_ordered = compared_kind(place.leaf, part) != "bool"
    if rest or (not is_ordered and lookup not in {"exact", "in", "isnull"}):
        unknown = rest[0] if rest else lookup
        raise UnknownFilter(name, f"{unknown!r} is not a lookup of a field of kind {place.leaf.kind}.")
    return lookup, part, ()


def compared_kind(leaf: Field, part: str) -> Kind:
    if not part:
        return leaf.kind
    return "date" if part == "date" else "int"

"""Field maps by name: two modules can thus point at each other's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Relation

Fields = dict[str, Field | JsonField | Relation]
_MAPS: dict[str, FieldMap] = {}


def declared(fields: FieldMap) -> FieldMap:
    """The same map, which others can now name by its noun."""
    _MAPS[fields.noun] = fields
    return fields


def of(noun: str) -> Callable[[], FieldMap]:
    """The target of a relation, looked up when a filter follows it."""
    return lambda: _MAPS[noun]


def clock(column: Any) -> Field:
    """A time as its answers show it: on the lab's own clock, so that its day is the day that people see."""
    return Field(sa.cast(column, sa.TIMESTAMP(timezone=False)), "datetime")


def texts(columns: Any, *names: str) -> Fields:
    """Fields of kind text."""
    return {name: Field(columns[name], "text") for name in names}


def truths(columns: Any, *names: str) -> Fields:
    """Fields of kind bool."""
    return {name: Field(columns[name], "bool") for name in names}


def to_one(target: FieldMap, key: Any, shown: FieldMap | None = None) -> Relation:
    """To the one row that `key` holds the id of; `shown` has the fields of it that every row here shows."""
    way = None if shown is None else Relation(lambda: shown, on=shown.source.c.id == key)
    return Relation(lambda: target, on=target.source.c.id == key, key=key, shown=way)


def to_many(
    target: FieldMap, link_owner: Any, owner: Any, link_other: Any, shown: FieldMap | None = None
) -> Relation:
    """To many rows over a link table; deleted ones are left out."""
    way = None if shown is None else to_many(shown, link_owner, owner, link_other)
    relation = to_linked(lambda: target, target.source.c, link_owner, owner, link_other)
    return replace(relation, shown=way)


def to_linked(
    target: Callable[[], FieldMap], theirs: Any, link_owner: Any, owner: Any, link_other: Any
) -> Relation:
    """The same for a map that is declared later, over the columns of its source."""
    return Relation(target, on=sa.and_(link_owner == owner, link_other == theirs.id, _is_here(theirs)))


def from_many(target: Callable[[], FieldMap], theirs: Any, key: Any, owner: Any, *rest: Any) -> Relation:
    """To the many rows that point here by their `key`; deleted ones are left out."""
    return Relation(target, on=sa.and_(key == owner, _is_here(theirs), *rest))


def _is_here(theirs: Any) -> sa.ColumnElement[bool]:
    return theirs.deleted_at.is_(None) if "deleted_at" in theirs else sa.true()


def under(relation: Relation, *names: str) -> Fields:
    """A relation under several names: Alyx's own, and those that its answers show."""
    return dict.fromkeys(names, relation)

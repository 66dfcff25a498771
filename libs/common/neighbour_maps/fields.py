"""Short ways to write fields of maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Kind, Relation

Fields = dict[str, Field | JsonField | Relation]
Target = Callable[[], FieldMap]


def fields_of(columns: Any, kind: Kind, *names: str) -> Fields:
    """Fields of one kind, of columns with their names."""
    return {name: Field(columns[name], kind) for name in names}


def clock(column: Any) -> Field:
    """A time as its answers show it: on the lab's own clock, so that its day is the day that people see."""
    return Field(sa.cast(column, sa.TIMESTAMP(timezone=False)), "datetime")


def under(relation: Relation, *names: str) -> Fields:
    """A relation under several names: Alyx's own, and those that its answers show."""
    return dict.fromkeys(names, relation)


def to_one(target: Target, source: sa.FromClause, key: Any, shown: FieldMap | None = None) -> Relation:
    """To the one row of a source that `key` holds the id of; `shown` has what every row here shows of it."""
    way = None if shown is None else Relation(lambda: shown, on=shown.source.c.id == key)
    return Relation(target, on=source.c.id == key, key=key, shown=way)


def to_linked(
    target: Target,
    source: sa.FromClause,
    owner: Any,
    link_owner: Any,
    link_other: Any,
    shown: FieldMap | None = None,
) -> Relation:
    """To many rows of a source over a link table."""
    way = None
    if shown is not None:
        way = Relation(lambda: shown, on=sa.and_(link_owner == owner, link_other == shown.source.c.id))
    return Relation(target, on=sa.and_(link_owner == owner, link_other == source.c.id), shown=way)

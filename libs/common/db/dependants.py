"""What depends on what among a service's own rows: declared once per service, and the order that follows from it.

A row is deleted with the rows that depend on it. A table with `deleted_at` is deleted softly; rows of other tables are
moved, with their values, to `removed_rows`, which `POST /undo` inserts again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, QueryableAttribute


class Fate(StrEnum):
    """What happens to a row when the row is deleted that one of its columns names."""

    CASCADE = "cascade"  # it is deleted with it
    REFUSE = "refuse"  # it keeps the other from being deleted
    KEEP = "keep"  # it stays, and still names it


@dataclass(frozen=True)
class Dependence:
    """The rows of `column`'s table that name a row of `parent`; `reason` says why they refuse or stay."""

    parent: sa.Table
    column: sa.Column[Any]
    fate: Fate
    reason: str = ""

    @property
    def child(self) -> sa.Table:
        """The table whose rows depend."""
        table: sa.Table = self.column.table
        return table


Kind = str | QueryableAttribute[str]
Model = type[DeclarativeBase]


def cascades(*columns: QueryableAttribute[Any], to: Iterable[Model] = ()) -> list[Dependence]:
    """Rows that are deleted with the row that these columns name, by their foreign key or in one of the tables `to`."""
    return [
        Dependence(parent, _column(column), Fate.CASCADE)
        for column in columns
        for parent in _parents(column, to)
    ]


def refuses(column: QueryableAttribute[Any], reason: str) -> list[Dependence]:
    """Rows that keep the row that this column names from being deleted."""
    return [Dependence(parent, _column(column), Fate.REFUSE, reason) for parent in _parents(column, ())]


def keeps(*columns: QueryableAttribute[Any], reason: str, to: Iterable[Model] = ()) -> list[Dependence]:
    """Rows that stay as they are when the row is deleted that these columns name."""
    return [
        Dependence(parent, _column(column), Fate.KEEP, reason)
        for column in columns
        for parent in _parents(column, to)
    ]


def _column(column: QueryableAttribute[Any]) -> sa.Column[Any]:
    own: sa.Column[Any] = column.property.columns[0]
    return own


def _parents(column: QueryableAttribute[Any], to: Iterable[Model]) -> list[sa.Table]:
    tables = [_table(model) for model in to]
    return tables or [key.column.table for key in _column(column).foreign_keys]


def _table(model: Model) -> sa.Table:
    table: sa.Table = model.__table__  # type: ignore[assignment]
    return table


def is_soft(table: sa.Table) -> bool:
    """Whether rows of the table are deleted by setting `deleted_at`."""
    return "deleted_at" in table.c


def has_id(table: sa.Table) -> bool:
    """Whether rows of the table have a UUID, by which others depend on them."""
    return "id" in table.c and isinstance(table.c.id.type, sa.Uuid)


class Dependants:
    """The declaration of one service.

    `kinds` has the tables whose rows a deletion may take, each before those that depend on it, with the kind of their
    rows in counts: a text (empty for rows that are not counted), or the column that has it. Raises TypeError for a
    declaration that cannot be followed.
    """

    def __init__(self, kinds: Mapping[Model, Kind], *dependences: Sequence[Dependence]) -> None:
        self.kinds: dict[sa.Table, Kind] = {_table(model): kind for model, kind in kinds.items()}
        self.dependences = [each for some in dependences for each in some]
        for each in self.dependences:
            if each.fate is Fate.CASCADE and {each.parent, each.child} - self.kinds.keys():
                raise TypeError(f"{each.column} cascades, but not both of its tables have a kind")
            if each.fate is not Fate.CASCADE and not each.reason:
                raise TypeError(f"{each.column} needs a reason")

    @property
    def tables(self) -> list[sa.Table]:
        """The tables whose rows a deletion may take, parents first."""
        return [*self.kinds]

    def table(self, name: str) -> sa.Table:
        """The table of that name."""
        return next(table for table in self.kinds if table.name == name)

    def below(self, parent: sa.Table) -> list[Dependence]:
        """What a deletion of rows of this table takes, or is refused for."""
        return [each for each in self.dependences if each.parent is parent and each.fate is not Fate.KEEP]

    def above(self, child: sa.Table) -> list[Dependence]:
        """What must not be deleted while rows of this table are not."""
        return [each for each in self.dependences if each.child is child and each.fate is not Fate.KEEP]

    def undeclared(self, metadata: sa.MetaData) -> list[str]:
        """Foreign keys between tables whose rows a deletion may take that have no declaration.

        Tables that only join others, and have no kind, are left out: what they join vanishes and comes back with them.
        """
        declared = {(each.column, each.parent) for each in self.dependences}
        return sorted(
            f"{table.name}.{column.name}"
            for table in metadata.sorted_tables
            for column in table.columns
            for key in column.foreign_keys
            if (is_soft(table) or table in self.kinds)
            and (is_soft(key.column.table) or key.column.table in self.kinds)
            and (column, key.column.table) not in declared
        )


def sentence(counts: Mapping[str, int]) -> str:
    """Counts per kind in words.

    >>> sentence({"session": 1, "insertion": 2, "water-administration": 3})
    '1 session, 2 insertions and 3 water administrations'
    >>> sentence({})
    'nothing'
    """
    parts = [f"{n} {_noun(kind, n)}" for kind, n in counts.items() if n]
    if len(parts) < 2:
        return parts[0] if parts else "nothing"
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _noun(kind: str, n: int) -> str:
    """A kind in the singular or plural.

    >>> _noun("surgery", 2), _noun("data-repository", 1), _noun("dataset", 3), _noun("field-of-view", 2)
    ('surgeries', 'data repository', 'datasets', 'fields of view')
    """
    noun = kind.replace("-", " ")
    if n == 1:
        return noun
    head, of, rest = noun.partition(" of ")
    return f"{f'{head[:-1]}ies' if head.endswith('y') else f'{head}s'}{of}{rest}"

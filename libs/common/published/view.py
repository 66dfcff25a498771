"""A published view: its name, columns and readers, its SQL, and its table to select from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect

from libs.common.catalogue import STATEFUL, Service

_POSTGRESQL = PGDialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, eq=False)
class View:
    """One published view, granted to its owner and to its readers.

    `former_readers` no longer read it, but pods of their previous version do, which run during an upgrade.
    `renamed` has the earlier names of columns, which stay in the view for services of the previous version.
    """

    owner: Service
    noun: str
    columns: Mapping[str, sa.types.TypeEngine[Any]]
    version: int = 1
    readers: frozenset[Service] = frozenset(STATEFUL)
    former_readers: frozenset[Service] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name in the owner's schema."""
        return f"published_{self.noun}_v{self.version}"

    @property
    def full_name(self) -> str:
        """Schema and name."""
        return f"{self.owner}.{self.name}"

    def placeholder(self) -> str:
        """SQL of the empty view that stands here until the owner has migrated."""
        return f"CREATE VIEW {self.full_name} AS SELECT {self._nulls(self.columns)} WHERE false"

    def widened(self, definition: str, missing: Collection[str]) -> str:
        """SQL of the view as it is there with the missing columns at its end: a renamed one as before, others null.

        >>> labs = View(Service.METADATA, "labs", {"id": sa.UUID(), "name": sa.Text()})
        >>> labs.widened("SELECT id FROM metadata.labs;", {"name"}).partition(" AS ")[2]
        'SELECT older.*, NULL::TEXT AS name FROM (SELECT id FROM metadata.labs) AS older'
        >>> labs = View(Service.METADATA, "labs", {"title": sa.Text(), "name": sa.Text()}, renamed={"name": "title"})
        >>> labs.widened("SELECT title FROM metadata.labs;", {"name"}).partition(" AS ")[2]
        'SELECT older.*, older.title AS name FROM (SELECT title FROM metadata.labs) AS older'
        """
        older = definition.strip().removesuffix(";")
        added = ", ".join(self._added(column, missing) for column in self.columns if column in missing)
        return f"CREATE OR REPLACE VIEW {self.full_name} AS SELECT older.*, {added} FROM ({older}) AS older"  # noqa: S608

    def _added(self, column: str, missing: Collection[str]) -> str:
        earlier = self.renamed.get(column)
        if earlier is None or earlier in missing:
            return self._nulls([column])
        return f"older.{earlier} AS {column}"

    def _nulls(self, columns: Iterable[str]) -> str:
        return ", ".join(f"NULL::{_sql(self.columns[column])} AS {column}" for column in columns)

    def definition(self, select: str) -> str:
        """SQL that fills the view; each column is cast, so that the contract's types hold."""
        columns = ", ".join(
            f"filled.{column}::{_sql(kind)} AS {column}" for column, kind in self.columns.items()
        )
        return f"CREATE OR REPLACE VIEW {self.full_name} AS SELECT {columns} FROM ({select}) AS filled"  # noqa: S608


def _sql(kind: sa.types.TypeEngine[Any]) -> str:
    return str(kind.compile(dialect=_POSTGRESQL))


_metadata = sa.MetaData()


@cache
def table(view: View) -> sa.Table:
    """The view as something to select from."""
    columns = (sa.Column(name, kind) for name, kind in view.columns.items())
    return sa.Table(view.name, _metadata, *columns, schema=view.owner)


@cache
def alias(view: View, role: str) -> sa.FromClause:  # noqa: ARG001 - one for each role
    """The view under another name in its SQL, always the same one for a role.

    Making an alias costs more than the condition that reads it. A statement may use a role many times side by side,
    but not one within the other.
    """
    return table(view).alias()

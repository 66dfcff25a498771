"""Bringing back what a deletion took, and what stands in the way of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from libs.common.db.conditions import Condition, any_of
from libs.common.db.dependants import Dependants, is_soft
from libs.common.db.sessions import WriteSession
from libs.common.db.tables import Infrastructure
from libs.common.schemas.administration import AuditEntry
from libs.common.schemas.deletions import UNDO_DAYS

_NOT_DELETED: Final = "deleted_at IS NULL"


@dataclass
class Restored:
    """Ids of restored rows by table, and the first reason for which they cannot stay restored.

    before   what the audit entry of the deletion has of the row before
    """

    ids: dict[str, list[UUID]] = field(default_factory=dict)
    obstacle: str | None = None
    before: Mapping[str, Any] = field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        """Note a reason, unless there is one already."""
        self.obstacle = self.obstacle or reason


async def find_audit_entry(session: WriteSession, tables: Infrastructure, audit_id: int) -> AuditEntry | None:
    """An audit row."""
    row = (await session.execute(sa.select(tables.audit).where(tables.audit.c.id == audit_id))).mappings()
    entry = row.one_or_none()
    return None if entry is None else AuditEntry(**entry)


async def is_too_old(session: WriteSession, when: datetime) -> bool:
    """Whether the time to undo is over."""
    limit = sa.func.now() - timedelta(days=UNDO_DAYS)
    return bool(await session.scalar(sa.select(sa.literal(when, sa.TIMESTAMP(timezone=True)) < limit)))


async def restore(session: WriteSession, tables: Infrastructure, tree: Dependants, audit_id: int) -> Restored:
    """Restore the rows that a deletion took; concurrent undos of it wait for this one.

    Where another row has the name of one of them now, or what it depends on is deleted, that is put aside until the
    end of the transaction, which the caller then has to roll back: `obstacle` says why. So far the rights of the
    caller can be checked, on the row as it would be.
    """
    removed = tables.removed_rows
    statement = (
        sa.select(
            removed.c.id,
            removed.c.table_name,
            removed.c.row_id,
            removed.c.content.is_not(None).label("moved"),
        )
        .where(removed.c.audit_id == audit_id)
        .order_by(removed.c.id)
        .with_for_update()
    )
    rows = (await session.execute(statement)).all()
    restored = Restored()
    if not rows:
        restored.refuse("This deletion was undone already.")
    by_table = {
        name: [row for row in rows if row.table_name == name] for name in {row.table_name for row in rows}
    }
    for table in tree.tables:
        own = by_table.pop(table.name, [])
        ids = restored.ids[table.name] = [row.row_id for row in own if row.row_id is not None]
        if is_soft(table) and own:
            await _revive(session, table, ids, restored)
        elif own:
            await _insert_again(session, tables, table, audit_id, restored)
    for table in tree.tables:
        if restored.ids[table.name]:
            await _revive_parents(session, tables, tree, table, restored)
    await session.execute(sa.delete(removed).where(removed.c.audit_id == audit_id))
    return restored


async def revive_hidden(
    session: WriteSession, tables: Infrastructure, tree: Dependants, table: sa.Table, row_id: UUID
) -> None:
    """Show a row that another deletion has hidden, with what it depends on, until the transaction is rolled back."""
    if is_soft(table):
        shown = Restored({table.name: [row_id]})
        await _revive(session, table, [row_id], shown)
        await _revive_parents(session, tables, tree, table, shown)


async def _revive(session: WriteSession, table: sa.Table, ids: list[UUID], restored: Restored) -> None:
    old = table.alias("old")
    for columns, equal in _unique_keys(table, old):
        twins = (
            sa.update(table)
            .where(old.c.id == any_of(ids), old.c.id != table.c.id, table.c.deleted_at.is_(None), equal)
            .values(deleted_at=sa.func.now())
            .returning(table.c.id)
        )
        if (await session.execute(twins)).first() is not None:
            restored.refuse(_twin(table, columns))
    await session.execute(sa.update(table).where(table.c.id == any_of(ids)).values(deleted_at=None))


def _unique_keys(table: sa.Table, old: sa.FromClause) -> Iterator[tuple[list[str], Condition]]:
    """The columns of each partial unique index, and the condition that a row and an old one are equal in them."""
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        options = index.dialect_options["postgresql"]
        if index.unique and options["where"] is not None:
            names = [column.name for column in index.columns]
            equal = _is_equal(names, table, old, nulls_too=bool(options["nulls_not_distinct"]))
            yield names, sa.and_(equal, *_is_indexed(str(options["where"]), table, old))


def _is_indexed(predicate: str, table: sa.Table, old: sa.FromClause) -> list[Condition]:
    """That a row and an old one are in a partial index, whether or not they are deleted now."""
    rest = " AND ".join(part for part in predicate.split(" AND ") if part != _NOT_DELETED)
    if not rest:
        return []
    own = table.alias("indexed")  # the columns in the text have no table: this is the nearest
    return [
        sa.exists().where(own.c.id == row.c.id, sa.text(f"({rest})")).correlate_except(own)
        for row in (table, old)
    ]


def _is_equal(names: Iterable[str], table: sa.Table, old: sa.FromClause, *, nulls_too: bool) -> Condition:
    pairs = [(table.c[name], old.c[name]) for name in names]
    return sa.and_(*(a.is_not_distinct_from(b) if nulls_too else a == b for a, b in pairs))


def _twin(table: sa.Table, columns: Iterable[str]) -> str:
    of = ", ".join(name.removesuffix("_id").replace("_", " ") for name in columns)
    head, inside, rest = table.name.replace("_", " ").partition(" of ")
    noun = f"{head.removesuffix('ies')}y" if head.endswith("ies") else head.removesuffix("s")
    return f"Another {noun}{inside}{rest} of the same {of} exists by now: rename or delete that one first."


async def _insert_again(
    session: WriteSession, tables: Infrastructure, table: sa.Table, audit_id: int, restored: Restored
) -> None:
    """Insert moved rows again. One that has the unique values of one of them is removed, as in `_revive`."""
    removed = tables.removed_rows
    content = sa.type_coerce(removed.c.content, JSONB)
    own = sa.and_(removed.c.audit_id == audit_id, removed.c.table_name == table.name)
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            names = [column.name for column in constraint.columns]
            nulls_too = bool(constraint.dialect_options["postgresql"]["nulls_not_distinct"])
            pairs = [(sa.cast(table.c[name], sa.Text), content[name].astext) for name in names]
            equal = [a.is_not_distinct_from(b) if nulls_too else a == b for a, b in pairs]
            twins = sa.delete(table).where(own, *equal).returning(sa.literal(1))
            if (await session.execute(twins)).first() is not None:
                restored.refuse(_twin(table, names))
    names = await _stored_columns(session, table, removed, own)
    if lost := [column.name for column in table.columns if column.name not in names and _needs_value(column)]:
        restored.refuse(f"It was deleted by an earlier version, which did not store {', '.join(lost)}.")
        restored.ids[table.name] = []
        return
    name, columns = f"{table.schema}.{table.name}", ", ".join(f'"{column}"' for column in names)
    values = ", ".join(f'again."{column}"' for column in names)
    again = sa.text(
        f"INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE "  # noqa: S608 - names of our own tables
        f"SELECT {values} FROM {removed.schema}.{removed.name} AS r, "
        f"jsonb_populate_record(NULL::{name}, r.content) AS again "
        "WHERE r.audit_id = :audit_id AND r.table_name = :table_name ORDER BY r.id"
    )
    await session.execute(again, {"audit_id": audit_id, "table_name": table.name})


async def _stored_columns(
    session: WriteSession, table: sa.Table, removed: sa.Table, own: Condition
) -> list[str]:
    """The columns that moved rows have values of; those that an upgrade has added since get their defaults."""
    keys = sa.select(sa.func.jsonb_object_keys(removed.c.content)).where(own).distinct()
    stored = set(await session.scalars(keys))
    return [column.name for column in table.columns if column.name in stored]


def _needs_value(column: sa.Column[Any]) -> bool:
    return not column.nullable and column.server_default is None and column.identity is None


async def _revive_parents(
    session: WriteSession, tables: Infrastructure, tree: Dependants, table: sa.Table, restored: Restored
) -> None:
    """What restored rows depend on and is deleted: noted as obstacle, and shown until all is rolled back."""
    for each in tree.above(table):
        if not is_soft(each.parent):
            continue
        statement = (
            sa.select(each.parent.c.id)
            .where(table.c.id == any_of(restored.ids[table.name]), each.column == each.parent.c.id)
            .where(each.parent.c.deleted_at.is_not(None))
            .distinct()
        )
        ids = [*await session.scalars(statement)]
        if ids:
            restored.refuse(await _deleted_parent(session, tables, each.parent, ids))
            await _revive(session, each.parent, ids, restored)
            above = Restored({each.parent.name: ids})
            await _revive_parents(session, tables, tree, each.parent, above)


async def _deleted_parent(
    session: WriteSession, tables: Infrastructure, parent: sa.Table, ids: Sequence[UUID]
) -> str:
    removed = tables.removed_rows
    latest = sa.select(sa.func.max(removed.c.audit_id)).where(removed.c.row_id == any_of(ids))
    audit_id = await session.scalar(latest)
    first = "" if audit_id is None else f" Undo that first: POST /undo/{removed.schema}/{audit_id}."
    return f"It belongs to a row of {parent.name.replace('_', ' ')} that another deletion removed.{first}"


async def delete_old_removed_rows(session: WriteSession, tables: Infrastructure) -> None:
    """Forget what deletions took and merges moved once they cannot be undone; softly deleted rows stay deleted.

    That a row could not move is not forgotten: it would wait for its move again.
    """
    removed, moved = tables.removed_rows, tables.moved_rows
    limit = sa.func.now() - timedelta(days=UNDO_DAYS + 1)
    await session.execute(sa.delete(removed).where(removed.c.removed_at < limit))
    has_moved = moved.c.target_id != moved.c.former_id
    await session.execute(sa.delete(moved).where(moved.c.moved_at < limit, has_moved))

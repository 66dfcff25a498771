"""Deletion of a row with all rows of its service that depend on it, as `Dependants` declares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase

from libs.common.db.conditions import any_of
from libs.common.db.dependants import Dependants, Dependence, Fate, has_id, is_soft
from libs.common.db.sessions import WriteSession
from libs.common.db.transaction import AuditedAction, Transaction
from libs.common.problem import Conflict
from libs.common.schemas.deletions import Deletion


@dataclass
class Taken:
    """The rows that a deletion takes: by table their ids, or for tables without ids their number; and counts by kind.

    `parts` says how rows without ids are selected: by the rows that they depend on.
    """

    ids: dict[sa.Table, list[UUID]] = field(default_factory=dict)
    parts: list[tuple[Dependence, list[UUID]]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def count(self, kind: str, n_rows: int) -> None:
        """Count rows of a kind; rows without a kind are parts of others, and not counted."""
        if kind:
            self.counts[kind] += n_rows

    def of(self, model: type[DeclarativeBase]) -> list[UUID]:
        """The ids of one table."""
        return self.ids.get(model.__table__, [])  # type: ignore[call-overload, no-any-return]


async def lock_taken(session: WriteSession, tree: Dependants, row: DeclarativeBase) -> Taken:
    """All rows that the deletion of a row takes, locked. Raises Conflict where one refuses.

    Locks exclude new rows that would depend on these: their foreign keys wait for the end of this transaction.
    """
    root: sa.Table = row.__table__  # type: ignore[assignment]
    taken = Taken()
    frontier = [(root, await _lock(session, tree, taken, root, root.c.id, [_id_of(row)]))]
    while frontier:
        parent, ids = frontier.pop(0)
        for each in tree.below(parent):
            if each.fate is Fate.REFUSE:
                await _refuse(session, each, ids)
            elif not has_id(each.child):
                await _lock_parts(session, tree, taken, each, ids)
            elif added := await _lock(session, tree, taken, each.child, each.column, ids):
                frontier.append((each.child, added))
    return taken


async def _lock(
    session: WriteSession,
    tree: Dependants,
    taken: Taken,
    table: sa.Table,
    column: sa.ColumnElement[Any],
    parent_ids: Sequence[UUID],
) -> list[UUID]:
    """Lock the rows of a table that name one of these, unless they are taken already; their ids."""
    kind = tree.kinds[table]
    named = sa.literal(kind) if isinstance(kind, str) else table.c[kind.key]
    statement = (
        sa.select(table.c.id, named.label("kind"))
        .where(column == any_of(parent_ids), *_not_deleted(table))
        .order_by(table.c.id)
        .with_for_update(of=table)
    )
    known = set(taken.ids.get(table, ()))
    rows = [row for row in await session.execute(statement) if row.id not in known]
    taken.ids.setdefault(table, []).extend(row.id for row in rows)
    taken.counts.update(str(row.kind) for row in rows)
    return [row.id for row in rows]


async def _lock_parts(
    session: WriteSession, tree: Dependants, taken: Taken, each: Dependence, ids: list[UUID]
) -> None:
    rows = sa.select(sa.literal(1)).where(each.column == any_of(ids)).with_for_update(of=each.child)
    n_rows = len((await session.execute(rows)).all())
    if n_rows:
        taken.parts.append((each, ids))
        taken.count(str(tree.kinds[each.child]), n_rows)


async def _refuse(session: WriteSession, each: Dependence, ids: Sequence[UUID]) -> None:
    # What is moved away is refused by rows that are only hidden, too: their foreign keys still name it.
    hidden = _not_deleted(each.child) if is_soft(each.parent) else []
    depends = sa.exists().where(each.column == any_of(ids), *hidden)
    if await session.scalar(sa.select(depends)):
        raise Conflict(each.reason)


async def remove(
    tx: Transaction,
    service: str,
    noun: str,
    row: DeclarativeBase,
    taken: Taken,
    *,
    hidden: Mapping[str, int],
    before: Mapping[str, Any] | None = None,
) -> Deletion:
    """Delete what `lock_taken` took, with one audit row, by whose id `POST /undo` restores it."""
    counts = {kind: n for kind, n in taken.counts.items() if n}
    named = None if before is None else dict(before)
    audited = AuditedAction(f"{noun}.deleted", noun, _id_of(row), before=named, after={"removed": counts})
    audit_id = await tx.insert_audit(audited)
    for each, ids in reversed(taken.parts):
        await _move(tx, audit_id, each.child, each.column, ids)
    for table, ids in reversed(taken.ids.items()):
        if is_soft(table):
            await hide_rows(tx, audit_id, table, ids)
        else:
            await _move(tx, audit_id, table, table.c.id, ids)
    return Deletion.done(service, audit_id, counts, hidden)


async def hide_rows(tx: Transaction, audit_id: int, table: sa.Table, ids: Sequence[UUID]) -> None:
    """Delete rows softly, so that an undo of the audit entry restores them."""
    removed = tx.tables.removed_rows
    await tx.session.execute(
        sa.update(table).where(table.c.id == any_of(ids)).values(deleted_at=sa.func.now())
    )
    listed = sa.select(
        sa.literal(audit_id),
        sa.literal(table.name),
        sa.func.unnest(sa.literal(list(ids), ARRAY(sa.UUID))),
    )
    await tx.session.execute(removed.insert().from_select(["audit_id", "table_name", "row_id"], listed))


async def _move(
    tx: Transaction, audit_id: int, table: sa.Table, column: sa.ColumnElement[Any], ids: list[UUID]
) -> None:
    removed = tx.tables.removed_rows
    content = sa.func.to_jsonb(sa.literal_column(f'"{table.name}"'), type_=JSONB)
    row_id: sa.ColumnElement[Any] = table.c.id if has_id(table) else sa.null()
    gone = (
        sa.delete(table)
        .where(column == any_of(ids))
        .returning(
            sa.literal(audit_id).label("audit_id"),
            sa.literal(table.name).label("table_name"),
            sa.cast(row_id, sa.UUID).label("row_id"),
            content.label("content"),
        )
        .cte("gone")
    )
    columns = ["audit_id", "table_name", "row_id", "content"]
    await tx.session.execute(removed.insert().from_select(columns, sa.select(gone)))


def _not_deleted(table: sa.Table) -> Iterable[sa.ColumnElement[bool]]:
    return [table.c.deleted_at.is_(None)] if is_soft(table) else []


def _id_of(row: DeclarativeBase) -> UUID:
    row_id: UUID = row.id  # type: ignore[attr-defined]
    return row_id

"""Moving rows from merged sessions to the session that stays, and back.

`moved_rows` has each move with the session before and the one after it. A row goes back only from where the latest
move brought it: what was moved by hand since stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import QueryableAttribute

from libs.common.db.conditions import Condition, any_of
from libs.common.db.dependants import is_soft
from libs.common.db.transaction import Transaction

IsFree = Callable[[sa.ColumnElement[Any]], Condition]


@dataclass(frozen=True)
class Movable:
    """Rows that belong to a session by a column.

    kind      of the rows in counts
    is_free   of a session's id: the condition that the session has no row with the unique values of this one
    """

    column: QueryableAttribute[Any]
    kind: str
    is_free: IsFree | None = None

    @property
    def own_column(self) -> sa.Column[Any]:
        """The column as the table has it."""
        own: sa.Column[Any] = self.column.property.columns[0]
        return own

    @property
    def table(self) -> sa.Table:
        """The table of the rows."""
        table: sa.Table = self.own_column.table
        return table

    @property
    def name(self) -> str:
        """What `moved_rows` calls the column: one table may belong to sessions by several."""
        return f"{self.table.name}.{self.own_column.name}"

    def free(self, session_id: Any) -> Condition:
        """The condition that a row can move to a session."""
        return sa.true() if self.is_free is None else self.is_free(session_id)

    def n_rows(self, session_ids: Collection[UUID]) -> sa.ScalarSelect[int]:
        """How many rows of these sessions are not deleted."""
        shown = [self.table.c.deleted_at.is_(None)] if is_soft(self.table) else []
        count = sa.select(sa.func.count()).select_from(self.table)
        return count.where(self.own_column == any_of(session_ids), *shown).scalar_subquery()


@dataclass(frozen=True)
class RowBack:
    """A row that moved back: its id, its session now and the one before, and what else the merge had changed of it."""

    id: UUID
    session_id: UUID
    left_id: UUID
    content: dict[str, Any] | None


async def move_rows(
    tx: Transaction, merge_id: UUID, movable: Movable, session_ids: Sequence[UUID], into: UUID
) -> list[UUID]:
    """Move the rows of sessions, deleted ones too, session by session; their ids. Those that are not free stay.

    May be repeated: rows that were moved are in the other session, and what stays is stored once.
    """
    table, own = movable.table, movable.own_column
    target = sa.literal(into, sa.UUID)
    moved: list[UUID] = []
    for session_id in session_ids:
        moving = (
            sa.update(table)
            .where(own == session_id, movable.free(target))
            .values({own: target})
            .returning(table.c.id)
        )
        moved += await _insert_moved(tx, merge_id, movable, moving.cte("moving"), session_id, into)
        stored = tx.tables.moved_rows
        is_stored = sa.exists().where(stored.c.merge_id == merge_id, stored.c.row_id == table.c.id)
        staying = sa.select(table.c.id).where(own == session_id, ~is_stored.correlate_except(stored))
        await _insert_moved(tx, merge_id, movable, staying.cte("staying"), session_id, session_id)
    return moved


async def _insert_moved(
    tx: Transaction, merge_id: UUID, movable: Movable, rows: sa.CTE, former_id: UUID, target_id: UUID
) -> list[UUID]:
    stored = tx.tables.moved_rows
    columns = ["merge_id", "table_name", "row_id", "former_id", "target_id"]
    listed = sa.select(
        sa.literal(merge_id, sa.UUID),
        sa.literal(movable.name),
        rows.c.id,
        sa.literal(former_id, sa.UUID),
        sa.literal(target_id, sa.UUID),
    )
    inserting = stored.insert().from_select(columns, listed).returning(stored.c.row_id)
    return [*await tx.session.scalars(inserting)]


async def move_back(tx: Transaction, merge_id: UUID, movable: Movable) -> list[RowBack]:
    """Undo the moves of a merge: of rows that still are where the latest move brought them.

    That may be a session into which the other one was merged since; that move is then forgotten, too.
    """
    table, stored = movable.table, tx.tables.moved_rows
    is_of_merge = sa.and_(stored.c.merge_id == merge_id, stored.c.table_name == movable.name)
    moves = _unbroken_moves(stored, is_of_merge)
    own = (
        sa.select(moves.c.row_id, moves.c.origin_id.label("former_id"), moves.c.content)
        .add_columns(moves.c.target_id.label("now_id"))
        .ext(distinct_on(moves.c.row_id))
        .order_by(moves.c.row_id, moves.c.id.desc())
        .subquery("own")
    )
    returning = (
        sa.update(table)
        .where(table.c.id == own.c.row_id, movable.own_column == own.c.now_id, movable.free(own.c.former_id))
        .values({movable.own_column: own.c.former_id})
        .returning(table.c.id, own.c.former_id, own.c.now_id, own.c.content)
    )
    rows = (await tx.session.execute(returning)).all()
    first = sa.select(stored.c.id, stored.c.row_id).where(is_of_merge).subquery("first")
    over = sa.delete(stored).where(
        stored.c.table_name == movable.name, stored.c.row_id == first.c.row_id, stored.c.id >= first.c.id
    )
    await tx.session.execute(over)
    return [RowBack(row.id, row.former_id, row.now_id, row.content) for row in rows]


def _unbroken_moves(stored: sa.Table, is_of_merge: Condition) -> sa.CTE:
    """The moves of a merge, and those of later merges that began where the one before ended.

    A row that a person moved in between belongs where that person put it, and to what followed from that.
    """
    columns = (stored.c.id, stored.c.table_name, stored.c.row_id, stored.c.target_id, stored.c.content)
    has_moved = stored.c.target_id != stored.c.former_id
    first = sa.select(*columns, stored.c.former_id.label("origin_id")).where(is_of_merge, has_moved)
    moves = first.cte("moves", recursive=True)
    following = (
        sa.select(stored.c.id, stored.c.table_name, stored.c.row_id, stored.c.target_id)
        .add_columns(moves.c.content, moves.c.origin_id)
        .where(
            stored.c.table_name == moves.c.table_name,
            stored.c.row_id == moves.c.row_id,
            stored.c.former_id == moves.c.target_id,
            stored.c.id > moves.c.id,
            has_moved,
        )
    )
    return moves.union_all(following)


async def fetch_moved_sessions(tx: Transaction, merge_id: UUID, movable: Movable) -> list[UUID]:
    """The sessions that rows of a merge have now."""
    stored, table = tx.tables.moved_rows, movable.table
    of_merge = sa.select(stored.c.row_id).where(
        stored.c.merge_id == merge_id, stored.c.table_name == movable.name
    )
    statement = sa.select(movable.own_column).where(table.c.id.in_(of_merge)).distinct()
    return [*await tx.session.scalars(statement)]

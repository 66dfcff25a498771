"""Statements that write many rows at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.dml import UpdateBase

from libs.common.db import WriteSession

ROWS_AT_ONCE = 5_000


async def execute_write(session: WriteSession, statement: UpdateBase) -> sa.CursorResult[tuple[object, ...]]:
    """Execute a statement without the ORM, which would compare its rows with every object of the session.

    Objects that were loaded before keep their old values.
    """
    connection = await session.connection()
    return await connection.execute(statement)


async def insert_rows(
    session: WriteSession,
    model: type[DeclarativeBase],
    rows: Sequence[Mapping[str, object]],
    *,
    or_ignore: bool = False,
) -> None:
    """Insert rows that all have the same columns, thousands in one statement; `or_ignore`: unless they exist."""
    for batch in _batches(rows):
        values = await asyncio.to_thread(_as_table, model, batch)
        statement = insert(model).from_select(list(rows[0]), sa.select(*values.c))
        await execute_write(session, statement.on_conflict_do_nothing() if or_ignore else statement)


async def update_rows(
    session: WriteSession, model: type[DeclarativeBase], rows: Sequence[Mapping[str, object]], *keys: str
) -> None:
    """Update rows that all have the same columns, thousands in one statement; `keys` identify them."""
    columns = model.__table__.c
    for batch in _batches(rows):
        values = await asyncio.to_thread(_as_table, model, batch)
        await execute_write(
            session,
            sa.update(model)
            .values({name: values.c[name] for name in rows[0] if name not in keys})
            .where(*(columns[key] == values.c[key] for key in keys)),
        )


def _batches(rows: Sequence[Mapping[str, object]]) -> Iterator[Sequence[Mapping[str, object]]]:
    # The driver encodes a statement's parameters at once, and blocks the event loop meanwhile.
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]


def _as_table(model: type[DeclarativeBase], rows: Sequence[Mapping[str, object]]) -> sa.TableValuedAlias:
    """Rows as a table: one array per column, so that thousands of rows are a handful of parameters."""
    types = {name: model.__table__.c[name].type for name in rows[0]}
    arrays = [sa.literal([row[name] for row in rows], sa.ARRAY(type_)) for name, type_ in types.items()]
    columns = [sa.column(name, type_) for name, type_ in types.items()]
    return sa.func.unnest(*arrays).table_valued(*columns, name="values_").render_derived()

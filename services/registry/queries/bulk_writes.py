"""Statements that write many rows at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.dml import UpdateBase

from libs.common.db import WriteSession
from libs.common.db.json_pages import request_value
from libs.common.db.prepared_writes import execute_prepared

ROWS_AT_ONCE = 5_000
STATEMENTS = 50  # that are kept: one for each table and set of columns


async def execute_write(session: WriteSession, statement: UpdateBase) -> sa.CursorResult[tuple[object, ...]]:
    """Execute a statement without the ORM, which would compare its rows with every object of the session.

    Objects that were loaded before keep their old values. One that is built once is better run by `execute_prepared`.
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
        statement = _insert(model, tuple(batch[0]), or_ignore=or_ignore)
        await execute_prepared(session, statement, **_arrays(batch))


async def update_rows(
    session: WriteSession, model: type[DeclarativeBase], rows: Sequence[Mapping[str, object]], *keys: str
) -> None:
    """Update rows that all have the same columns, thousands in one statement; `keys` identify them."""
    for batch in _batches(rows):
        await execute_prepared(session, _update(model, tuple(batch[0]), keys), **_arrays(batch))


def _batches(rows: Sequence[Mapping[str, object]]) -> Iterator[Sequence[Mapping[str, object]]]:
    # The driver encodes a statement's parameters at once, and blocks the event loop meanwhile.
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]


@lru_cache(maxsize=STATEMENTS)
def _insert(model: type[DeclarativeBase], columns: tuple[str, ...], *, or_ignore: bool) -> Insert:
    statement = insert(model).from_select(list(columns), sa.select(*_as_table(model, columns).c))
    return statement.on_conflict_do_nothing() if or_ignore else statement


@lru_cache(maxsize=STATEMENTS)
def _update(model: type[DeclarativeBase], columns: tuple[str, ...], keys: tuple[str, ...]) -> sa.Update:
    values, own = _as_table(model, columns), model.__table__.c
    changed = {name: values.c[name] for name in columns if name not in keys}
    return sa.update(model).values(changed).where(*(own[key] == values.c[key] for key in keys))


def _as_table(model: type[DeclarativeBase], columns: Sequence[str]) -> sa.TableValuedAlias:
    """Rows as a table: one array per column, so that thousands of rows are a handful of parameters."""
    types = {name: model.__table__.c[name].type for name in columns}
    arrays = [request_value(f"all_{name}", sa.ARRAY(type_)) for name, type_ in types.items()]
    fields = [sa.column(name, type_) for name, type_ in types.items()]
    return sa.func.unnest(*arrays).table_valued(*fields, name="values_").render_derived()


def _arrays(rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {f"all_{name}": [row[name] for row in rows] for name in rows[0]}

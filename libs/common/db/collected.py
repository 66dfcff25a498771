"""What a transaction collects until its end, audit rows and events, inserted by one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from libs.common.db.json_pages import request_value
from libs.common.db.prepared_writes import execute_prepared
from libs.common.db.sessions import WriteSession
from libs.common.db.tables import Infrastructure

AT_ONCE: Final = 250  # rows of a table per statement: other requests get their turn in between
_AUDIT: Final = (
    "user_id",
    "username",
    "action",
    "object_type",
    "object_id",
    "before",
    "after",
    "request_id",
)
_EVENTS: Final = ("id", "subject", "payload", "request_id")
Rows = Sequence[Mapping[str, Any]]


async def insert_collected(
    session: WriteSession, tables: Infrastructure, audited: Rows, events: Rows
) -> None:
    """Insert audit rows and events, each in their order."""
    for start in range(0, max(len(audited), len(events)), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        await _insert(session, tables, audited[part], events[part])


async def _insert(session: WriteSession, tables: Infrastructure, audited: Rows, events: Rows) -> None:
    values = {**_arrays(_AUDIT, audited, "audit_"), **_arrays(_EVENTS, events, "events_")}
    statement = (
        _insert_both(tables)
        if audited and events
        else _insert_audit(tables)
        if audited
        else _insert_events(tables)
    )
    await execute_prepared(session, statement, **values)


@cache
def _insert_both(tables: Infrastructure) -> Insert:
    return _insert_events(tables).add_cte(_insert_audit(tables).cte("audited"))


@cache
def _insert_audit(tables: Infrastructure) -> Insert:
    return insert_arrays(tables.audit, _AUDIT, "audit_")


@cache
def _insert_events(tables: Infrastructure) -> Insert:
    return insert_arrays(tables.events, _EVENTS, "events_")


def insert_arrays(table: sa.Table, columns: Sequence[str], prefix: str = "") -> Insert:
    """An insert of one array per column, so that it is the same for any number of rows.

    The values are named as the columns, with a prefix.
    """
    types = {name: table.c[name].type for name in columns}
    arrays = [request_value(prefix + name, sa.ARRAY(type_)) for name, type_ in types.items()]
    fields = [sa.column(name, type_) for name, type_ in types.items()]
    rows = sa.func.unnest(*arrays).table_valued(*fields).render_derived()
    return insert(table).from_select(list(columns), sa.select(*rows.c))


def _arrays(columns: Sequence[str], rows: Rows, prefix: str) -> dict[str, list[Any]]:
    return {prefix + name: [row[name] for row in rows] for name in columns} if rows else {}

"""Statements of a transaction that the driver runs: SQLAlchemy's way to it takes longer than most of them.

They are part of the transaction as all others are: what its session has pending is written before, and an error is
the one that SQLAlchemy raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

import asyncpg
import sqlalchemy as sa
from sqlalchemy.util import greenlet_spawn

from libs.common.db.sessions import WriteSession
from libs.common.memory import Recent

STATEMENTS: Final = 40  # prepared on a connection
_STATEMENTS: Final = "cingulum.driver_statements"


async def run_statement(
    session: WriteSession, text: str, arguments: Sequence[Any]
) -> Sequence[Mapping[str, Any]]:
    """The rows of a statement. Objects of the session keep their values."""
    await flush_pending(session)
    if session.in_nested_transaction():
        await session.connection()  # its savepoint is sent with the first use of the connection
    return await _run(session.open_connection(), text, arguments)


async def flush_pending(session: WriteSession) -> None:
    """Write what the session has pending, if anything."""
    if not session.sync_session._is_clean():
        await session.flush()


async def _run(connection: sa.Connection, text: str, arguments: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
    pooled = connection.connection
    adapted: Any = pooled.dbapi_connection
    if connection.dispatch.before_cursor_execute:  # as of every other statement
        connection.dispatch.before_cursor_execute(connection, None, text, tuple(arguments), None, False)  # noqa: FBT003
    try:
        if adapted._transaction is None:  # SQLAlchemy begins with the first statement too
            await adapted._start_transaction()
        statements: Recent[str, Any] = pooled.info.setdefault(_STATEMENTS, Recent(STATEMENTS))
        prepared = statements.get(text)
        if prepared is None:
            # A pooler between us and the server may hand a prepared name to another connection.
            prepared = await pooled.driver_connection.prepare(text, name=f"__{uuid4()}__")  # type: ignore[union-attr]
            statements.put(text, prepared)
        rows: Sequence[Mapping[str, Any]] = await prepared.fetch(*arguments)
    except BaseException as error:
        if isinstance(error, asyncpg.InvalidCachedStatementError):
            pooled.info.pop(_STATEMENTS)  # a table was altered: all are prepared again by later transactions
        await greenlet_spawn(_raise, connection, adapted, text, error)
        raise
    return rows


def _raise(connection: sa.Connection, adapted: Any, text: str, error: BaseException) -> None:
    """Raise what SQLAlchemy would; a connection that is lost, or whose statement was cancelled, is invalidated."""
    try:
        adapted._handle_exception(error)
    except connection.dialect.loaded_dbapi.Error as translated:
        connection._handle_dbapi_exception(translated, text, None, None, None)
    except BaseException as same:  # noqa: BLE001 - it is raised again
        connection._handle_dbapi_exception(same, None, None, None, None)

"""Statements that write, compiled once and run as prepared statements of the driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from libs.common.db.driver_statements import run_statement
from libs.common.db.prepared import SHAPES, _prepare, _Prepared
from libs.common.db.sessions import WriteSession
from libs.common.memory import Recent

Statement = sa.Select[Any] | sa.sql.dml.UpdateBase

_known: Recent[Statement, _Prepared] = Recent(SHAPES)


async def execute_prepared(
    session: WriteSession, statement: Statement, **values: object
) -> Sequence[Mapping[str, Any]]:
    """The rows of a statement; `values` are those of its `request_value`s.

    The statement is kept by its caller, as by `cache` or `per_caller`: it is compared by identity. Objects of the
    session keep their values.
    """
    prepared = _known.get(statement)
    if prepared is None:
        connection = session.open_connection()
        prepared = _prepare(statement.compile(connection, compile_kwargs={"render_postcompile": True}), ())
        _known.put(statement, prepared)
    return await run_statement(session, prepared.text, prepared.arguments((), values))

"""Statements of reads, compiled once for each shape of their conditions and run as prepared statements of the driver.

SQLAlchemy compares a statement of a list with those it knows by walking through all of it; that took most of the
time of a short list. Here the part that a caller's requests share is compared by identity, and only the conditions
of the request are walked through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import asyncpg
import sqlalchemy as sa
from sqlalchemy.sql.elements import BindParameter

from libs.common.db.conditions import Condition, Conditions
from libs.common.db.driver_statements import run_statement
from libs.common.db.sessions import AnySession, PageSession, WriteSession
from libs.common.memory import Recent

Base = sa.Select[Any] | Callable[[Sequence[Condition]], sa.Select[Any]]
Shape = Callable[[sa.Select[Any]], sa.Select[Any]]

NO_CONDITIONS: Final = Conditions()
SHAPES: Final = 1_000  # in a process
STATEMENTS: Final = 20  # prepared on a connection, where each may take 2 MB of the server
_DIALECT: Final = sa.make_url("postgresql+asyncpg://").get_dialect()()
_STATEMENTS: Final = "cingulum.prepared"


@dataclass(frozen=True)
class _Prepared:
    """The text of a statement, and of each parameter its name, its value if it has one, and how it is sent."""

    text: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    of_conditions: tuple[str, ...]
    processors: Mapping[str, Callable[[Any], Any]]

    def arguments(self, conditions: Sequence[Any], own: Mapping[str, Any]) -> list[Any]:
        """The parameters in their order, from the values of the conditions and those of the statement itself."""
        values = {
            **self.fixed,
            **dict(zip(self.of_conditions, conditions, strict=True)),
            **own,
        }
        processors = self.processors
        return [processors[name](values[name]) if name in processors else values[name] for name in self.names]


_known: Recent[tuple[object, ...], _Prepared] = Recent(SHAPES)


async def fetch_prepared(
    session: AnySession,
    base: Base,
    conditions: Sequence[Condition],
    shape: Shape,
    **values: object,
) -> Sequence[Any]:
    """The only row of `shape(base.where(*conditions))`; its arguments are those of `fetch_rows`."""
    rows: Sequence[Any] = await _fetch_all(session, base, conditions, shape, values)
    return rows[0]  # type: ignore[no-any-return]


async def fetch_rows(
    session: AnySession,
    base: Base,
    conditions: Sequence[Condition] = NO_CONDITIONS,
    **values: object,
) -> Sequence[Mapping[str, Any]]:
    """All rows of `base.where(*conditions)`, with the values of their columns as the driver makes them.

    base    a statement that is kept, as `per_caller` does, or a function of the conditions: it is compared by identity
    values  of the statement's own `bindparam`s

    A transaction writes first what it has pending.
    """
    return await _fetch_all(session, base, conditions, _as_it_is, values)


async def _fetch_all(
    session: AnySession,
    base: Base,
    conditions: Sequence[Condition],
    shape: Shape,
    values: Mapping[str, object],
) -> Sequence[Any]:
    """The rows of `shape(base.where(*conditions))`.

    shape   a function of a module, compared by identity as `base` is. No two outer sources of it are aliases without
            a name: conditions on either would look the same
    """
    known = Conditions.of(conditions)
    if known.shape is None:
        return await _fetch_once(session, _compile(shape(_whole(base, known))), values)
    of_shape = (base, shape, known.shape)
    prepared = _known.get(of_shape)
    if prepared is None:
        compiled, parameters = _compile(shape(_whole(base, known))), known.parameters()
        if not all(each in compiled.bind_names for each in parameters):
            # Something else in the statement is always false.
            return await _fetch_once(session, compiled, values)
        prepared = _prepare(compiled, parameters)
        _known.put(of_shape, prepared)
    return await _fetch(session, prepared.text, prepared.arguments(known.values, values))


def _as_it_is(statement: sa.Select[Any]) -> sa.Select[Any]:
    return statement


async def _fetch_once(session: AnySession, compiled: Any, values: Mapping[str, object]) -> Sequence[Any]:
    """Its text is not kept, as it is that of these values."""
    prepared = _prepare(compiled, ())
    return await _fetch(session, prepared.text, prepared.arguments((), values))


def _whole(base: Base, conditions: Sequence[Condition]) -> sa.Select[Any]:
    return base.where(*conditions) if isinstance(base, sa.Select) else base(conditions)


def _compile(statement: sa.Select[Any]) -> Any:
    return statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})


def _prepare(compiled: Any, of_conditions: Sequence[BindParameter[Any]]) -> _Prepared:
    expanded = compiled._post_compile_expanded_state
    return _Prepared(
        text=str(compiled),
        names=tuple(compiled.positiontup or ()),
        fixed=dict(compiled.params),
        of_conditions=tuple(compiled.bind_names[each] for each in of_conditions),
        processors={**compiled._bind_processors, **(expanded.processors if expanded else {})},
    )


async def _fetch(session: AnySession, text: str, arguments: list[Any]) -> Sequence[Any]:
    if isinstance(session, WriteSession):
        return await run_statement(session, text, arguments)
    connection = (
        session.connection
        if isinstance(session, PageSession)
        else await (await session.connection()).get_raw_connection()
    )
    driver: Any = connection.driver_connection
    statements: Recent[str, Any] = connection.info.setdefault(_STATEMENTS, Recent(STATEMENTS))
    prepared = statements.get(text)
    if prepared is not None:
        try:
            return await _all_rows(prepared, arguments)
        except asyncpg.InvalidCachedStatementError:
            pass  # a table was altered: it is prepared again
    # A pooler between us and the server may hand a prepared name to another connection.
    prepared = await driver.prepare(text, name=f"__{uuid4()}__")
    statements.put(text, prepared)
    return await _all_rows(prepared, arguments)


async def _all_rows(prepared: Any, arguments: list[Any]) -> Sequence[Any]:
    """Also where there is one row: `fetchrow` limits the rows, by which PostgreSQL runs no parallel worker."""
    rows: Sequence[Any] = await prepared.fetch(*arguments)
    return rows

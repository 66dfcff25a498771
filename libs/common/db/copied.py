"""All rows of a statement as CSV: for results of hundreds of thousands of rows, of which Python makes no objects."""

from __future__ import annotations

import io
from typing import Any, Final

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession

_DIALECT: Final = sa.make_url("postgresql+asyncpg://").get_dialect()()


async def copy_rows(session: ReadSession, statement: sa.Select[*tuple[Any, ...]]) -> bytes:
    """The rows as PostgreSQL's COPY writes them: CSV without a header, in UTF-8, booleans as t and f."""
    compiled: Any = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    processors: dict[str, Any] = {**compiled._bind_processors}
    values = compiled.params
    names = compiled.positiontup or ()
    arguments = [processors[name](values[name]) if name in processors else values[name] for name in names]
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    rows = io.BytesIO()
    await driver.copy_from_query(str(compiled), *arguments, output=rows, format="csv")
    return rows.getvalue()

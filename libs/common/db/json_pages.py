"""Pages whose JSON the database builds: on long lists no row becomes a Python object on its way to the caller.

The columns of such a statement are those of the row's schema, in its order and as JSON shows them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession
from libs.common.schemas.pages import JsonPage, PageRequest
from libs.common.visibility import Visibility

CALLERS = 500  # whose statements are kept
T = TypeVar("T")


async def fetch_json_page(
    session: ReadSession, statement: sa.Select[Any], paging: PageRequest, **parameters: object
) -> JsonPage:
    """One page of a statement, in one statement; all rows are counted only where the page does not show them all.

    `parameters` are the values of the statement's own `bindparam`s.
    """
    rows = statement.limit(paging.limit).offset(paging.offset).subquery("page")
    n_rows: sa.ColumnElement[int] = sa.func.count()
    n_all = (
        sa.select(sa.func.count()).select_from(statement.order_by(None).subquery("every")).scalar_subquery()
    )
    count = n_all if paging.offset else sa.case((n_rows < paging.limit, n_rows), else_=n_all)
    results = sa.func.coalesce(sa.cast(sa.func.json_agg(sa.literal_column("page")), sa.Text), "[]")
    connection = await session.connection()
    answer = await connection.execute(sa.select(count, n_rows, results).select_from(rows), parameters)
    return JsonPage(*answer.one())


def json_time(column: Any) -> sa.ColumnElement[str]:
    """A `timestamptz` as Alyx shows it: naive UTC, with microseconds where there are some."""
    at = sa.func.timezone("UTC", column)
    is_whole = sa.func.date_trunc("second", column) == column
    whole, exact = 'YYYY-MM-DD"T"HH24:MI:SS', 'YYYY-MM-DD"T"HH24:MI:SS.US'
    return sa.func.to_char(at, sa.case((is_whole, whole), else_=exact))


def per_caller(build: Callable[[Visibility], T]) -> Callable[[Visibility], T]:
    """Build a statement once for each caller: the same objects are compared and compiled faster than equal ones."""

    @lru_cache(maxsize=CALLERS)
    def built(visibility: Visibility, _caller: object) -> T:
        return build(visibility)

    def of(visibility: Visibility) -> T:
        # The four are not part of a Visibility's equality.
        caller = (
            visibility.user_id,
            visibility.caller_id,
            visibility.member_labs,
            visibility.work_labs,
        )
        return built(visibility, caller)

    return of

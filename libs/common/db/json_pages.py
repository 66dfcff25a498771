"""Pages whose JSON the database builds: on long lists no row becomes a Python object on its way to the caller.

The columns of such a statement are those of the row's schema, in its order and as JSON shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.db.prepared import Base, Shape, fetch_prepared
from libs.common.db.sessions import AnySession
from libs.common.schemas.pages import JsonPage, PageRequest
from libs.common.visibility import Visibility

CALLERS = 200  # whose statements are kept
_LIMIT: Final = "page_limit"
_OFFSET: Final = "page_offset"
_N_ALL: Final = "n_all"
_IS_FLAGGED: Final = "is_flagged"
T = TypeVar("T")


async def fetch_json_page(
    session: AnySession,
    base: Base,
    conditions: Sequence[Condition],
    paging: PageRequest,
    *,
    shape: Shape | None = None,
    **parameters: object,
) -> JsonPage:
    """One page of a statement with conditions, in one statement; `base` is kept, as by `per_caller`.

    `shape` is a function that `page_by_id` made; `parameters` are the values of the statement's `request_value`s.
    """
    paged = {_LIMIT: paging.limit, _OFFSET: paging.offset}
    page = await fetch_prepared(session, base, conditions, shape or plain_page, **paged, **parameters)
    if page[0] is None:  # of `counted_page`
        page = await fetch_prepared(session, base, conditions, plain_page, **paged, **parameters)
    return JsonPage(*page)


def plain_page(statement: sa.Select[Any]) -> sa.Select[Any]:
    """How many rows there are, how many one page has, and its JSON."""
    return _json_of(statement.limit(_limit()).offset(_offset()).subquery("rows"), statement)


def counted_page(statement: sa.Select[Any]) -> sa.Select[Any]:
    """The same, and the rows are counted as they are read: for conditions that cost more than to keep all rows.

    Use it where rows are narrow and there are conditions; without these an index has the first rows of a long list.
    Behind the end of a list the count is null.
    """
    counted = statement.add_columns(sa.func.count().over().label(_N_ALL))
    rows = counted.limit(_limit()).offset(_offset()).subquery("rows")
    count = sa.case((_offset() == 0, sa.func.count()), else_=None)
    return _aggregated(rows, sa.func.coalesce(sa.func.max(rows.c[_N_ALL]), count))


def flagging(shape: Shape, is_flagged: sa.ColumnElement[bool]) -> Shape:
    """A shape that also counts the rows of the page that a condition on them holds for: `JsonPage.n_flagged`.

    The database looks at the rows of the page alone. Keep what this returns.
    """

    def flagged(statement: sa.Select[Any]) -> sa.Select[Any]:
        return shape(with_flag(statement, is_flagged))

    return flagged


def with_flag(rows: sa.Select[Any], is_flagged: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The rows of a page, of which those that the condition holds for are counted."""
    return rows.add_columns(is_flagged.label(_IS_FLAGGED))


def page_by_id(row_id: Any, select_rows: Callable[[], sa.Select[Any]]) -> Shape:
    """The same of a statement of ids: the rows of the page alone are read whole, by `select_rows`.

    Where rows take many joins the planner cannot weigh the order of all of them and of the conditions together. Keep
    what this returns: shapes are compared by identity.
    """

    def page(ids: sa.Select[Any]) -> sa.Select[Any]:
        of_page = ids.limit(_limit()).offset(_offset()).scalar_subquery()
        chosen = sa.func.array(of_page, type_=sa.ARRAY(sa.Uuid))
        return _json_of(select_rows().where(row_id == sa.any_(chosen)).subquery("rows"), ids)

    return page


def page_of_sorted(
    order: Callable[[Any], Sequence[sa.ColumnElement[Any]]],
    select_rows: Callable[[sa.Subquery], sa.Select[Any]],
) -> Shape:
    """The same of a statement of all that rows are sorted by: it is run once, to count them and to sort them.

    order        from the columns of that statement, of which one is the id
    select_rows  the rows of one page whole, joined to their part of that statement, perhaps `with_flag`
    """

    def page(sortable: sa.Select[Any]) -> sa.Select[Any]:
        every = sortable.cte("every")
        part = sa.select(every).order_by(*order(every.c)).limit(_limit()).offset(_offset()).subquery("part")
        n_all = sa.select(sa.func.count()).select_from(every).scalar_subquery()
        return _aggregated(select_rows(part).order_by(*order(part.c)).subquery("rows"), n_all)

    return page


def _json_of(rows: sa.Subquery, every: sa.Select[Any]) -> sa.Select[Any]:
    """All rows are counted only where the page does not show them all."""
    n_rows: sa.ColumnElement[int] = sa.func.count()
    n_all = sa.select(sa.func.count()).select_from(every.order_by(None).subquery("every")).scalar_subquery()
    is_whole = sa.and_(_offset() == 0, n_rows < _limit())
    return _aggregated(rows, sa.case((is_whole, n_rows), else_=n_all))


def _aggregated(rows: sa.Subquery, count: Any) -> sa.Select[Any]:
    """One row: of the rows of a page all columns but our own are shown."""
    shown = [column for column in rows.c if column.key not in {_N_ALL, _IS_FLAGGED}]
    page = sa.select(*shown).correlate(rows).lateral("page")
    flagged = [sa.func.count().filter(rows.c[_IS_FLAGGED])] if _IS_FLAGGED in rows.c else []
    columns: list[Any] = [count, sa.func.count(), _results(), *flagged]
    return sa.select(*columns).select_from(rows.join(page, sa.true()))


def _results() -> sa.ColumnElement[str]:
    """The rows of `page` as a JSON array."""
    return sa.func.coalesce(sa.cast(sa.func.json_agg(sa.literal_column("page")), sa.Text), "[]")


def request_value(name: str, type_: sa.types.TypeEngine[T]) -> sa.BindParameter[T]:
    """A parameter of a kept statement, whose value comes with each request."""
    return sa.bindparam(name, required=False, type_=type_)


def _limit() -> sa.BindParameter[int]:
    return request_value(_LIMIT, sa.BigInteger())


def _offset() -> sa.BindParameter[int]:
    return request_value(_OFFSET, sa.BigInteger())


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
        return built(visibility, visibility.caller)

    return of

"""One page of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession
from libs.common.schemas.pages import PageRequest


async def fetch_page(
    session: ReadSession, statement: sa.Select[Any], paging: PageRequest
) -> tuple[int, list[Mapping[str, Any]]]:
    """How many rows there are, and those of one page; one statement, unless the page lies behind the end.

    The count is a query of its own within it: beside each row it would keep a long list from its index.
    """
    count = sa.select(sa.func.count()).select_from(statement.order_by(None).subquery())
    counted = statement.add_columns(count.scalar_subquery().label("_count"))
    rows = (await session.execute(counted.limit(paging.limit).offset(paging.offset))).mappings().all()
    if rows or not paging.offset:
        n_all = int(rows[0]["_count"]) if rows else 0
        return n_all, [{name: value for name, value in row.items() if name != "_count"} for row in rows]
    return int(await session.scalar(count) or 0), []

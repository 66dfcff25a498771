"""Fetching a single row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession
from libs.common.problem import NotFound


async def fetch_one(
    session: ReadSession, statement: sa.Select[Any], condition: sa.ColumnElement[bool], description: str
) -> Mapping[str, Any]:
    """The first row of a statement that fulfils the condition. Raises NotFound with the description."""
    row = (await session.execute(statement.where(condition).limit(1))).mappings().first()
    if row is None:
        raise NotFound(f"There is no {description}.")
    return dict(row)

"""Fetching a single row."""

from __future__ import annotations

from typing import Any, TypeVar

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession
from libs.common.problem import NotFound
from libs.common.schemas.base import Record

Shown = TypeVar("Shown", bound=Record)


async def fetch_one(
    session: ReadSession,
    statement: sa.Select[Any],
    condition: sa.ColumnElement[bool],
    shape: type[Shown],
    description: str,
) -> Shown:
    """The first row of a statement that fulfils the condition. Raises NotFound with the description."""
    row = (await session.execute(statement.where(condition).limit(1))).mappings().first()
    if row is None:
        raise NotFound(f"There is no {description}.")
    return shape.model_validate(row)

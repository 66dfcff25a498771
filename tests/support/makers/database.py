"""Transactions of the database's owner."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

from tests.support.system import Cingulum


@asynccontextmanager
async def owner(system: Cingulum) -> AsyncIterator[AsyncSession]:
    """A transaction that may write the tables of all services; it is committed at the end of the block."""
    async with AsyncSession(system.owner, expire_on_commit=False) as session, session.begin():
        yield session


async def named(session: AsyncSession, model: type[DeclarativeBase], name: str, **values: Any) -> UUID:
    """The id of the row of that name, which is inserted with these values if there is none."""
    table: Any = model
    row_id = await session.scalar(sa.select(table.id).where(table.name == name))
    if row_id is None:
        row_id = await session.scalar(insert(table).values(name=name, **values).returning(table.id))
    return UUID(str(row_id))

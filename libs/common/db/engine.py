"""Connections: one small pool that writes, one that only reads."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)


def async_url(url: str) -> str:
    """The address as SQLAlchemy wants it for asyncpg.

    >>> async_url("postgresql://a:b@127.0.0.1:5432/cingulum")
    'postgresql+asyncpg://a:b@127.0.0.1:5432/cingulum'
    """
    scheme, rest = url.split("://", 1)
    return f"postgresql+asyncpg://{rest}" if scheme in {"postgresql", "postgres"} else url


def _engine(url: str, size: int, service: str, **more: Any) -> AsyncEngine:
    return create_async_engine(
        async_url(url),
        pool_size=size,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=True,
        json_serializer=lambda value: json.dumps(value, allow_nan=False, default=str),
        json_deserializer=orjson.loads,
        connect_args={
            # A pooler between us and the server may hand a prepared name to another connection.
            "prepared_statement_name_func": lambda: f"__{uuid4()}__",
            "server_settings": {
                "application_name": f"cingulum-{service}",
                "timezone": "UTC",
                # Published views are joins of four tables: with 8 (the default) the planner sees two at a time, and
                # reads all files to list those of one session.
                "join_collapse_limit": "10",
                "from_collapse_limit": "10",
            },
        },
        **more,
    )


class Database:
    """The two pools of one service in one process."""

    def __init__(self, url: str, service: str, *, writers: int = 3, readers: int = 5) -> None:
        self.service = service
        self.writing = _engine(url, writers, service)
        # AUTOCOMMIT spares the server a BEGIN and a ROLLBACK around each read.
        self.reading = _engine(url, readers, service, isolation_level="AUTOCOMMIT")
        self.write_session = async_sessionmaker(self.writing, expire_on_commit=False)
        self.read_session = async_sessionmaker(self.reading, expire_on_commit=False)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is committed at the end, or undone whole."""
        async with self.write_session() as session, session.begin():
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that reads."""
        async with self.read_session() as session:
            yield session

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A bare reading connection, for the hot lists."""
        async with self.reading.connect() as connection:
            yield connection

    async def ping(self) -> None:
        """Raise unless the server answers."""
        async with self.reading.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Give all connections back."""
        await self.writing.dispose()
        await self.reading.dispose()

"""Connections: small pools for writes, reads and long reads, and the time limits of waiting for them.

A server that is stopped refuses at once; one that hangs does not respond at all. So every wait has a limit: for a
connection (`acquire_s`: a free one, the proof that it is alive, a new one), for a lock, for a statement (the server
ends it), and for the server's answer to a statement (we end it, two seconds later).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
from sqlalchemy import Connection, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, InvalidatePoolError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from libs.common.db.sessions import PageSession, ReadSession, WriteSession
from libs.common.db.shares import Shares
from libs.common.observability import caller
from libs.common.settings import Patience
from libs.common.shutdown import CLOSE_S, end_within

# Every error by which the database did not do what was requested; a time-out and a broken connection are an OSError.
DATABASE_ERRORS = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
# Those by which the server did not respond: what was tried can be tried again.
NO_RESPONSE = (OSError, OperationalError, InterfaceError, asyncpg.OperatorInterventionError)
PING_S = 1.5
PING_AFTER_S = 1.0  # a connection that was idle for longer is checked before its next use
_USED_AT = "used_at"
LONG_READ_S = 120.0  # for a statement of a sweep, or of a table that many callers share
LONG_READERS = 2
STATEMENTS = 3  # in so many times the time of one, all statements of a request that writes must be done
# Published views are joins of four tables: with limits of 8 (the default) the planner sees two at a time, and reads all
# files to list those of one session. Indices are in memory, or on disks without heads: the default cost, 4, is of disks
# that seek, by which it reads thousands of sessions to join those of fifty files.
PLANNER = {"join_collapse_limit": "10", "from_collapse_limit": "10", "random_page_cost": "1.1"}
ANSWER_S = 2.0  # beyond the time a statement may take: then the server hangs


def async_url(url: str) -> str:
    """The address as SQLAlchemy wants it for asyncpg.

    >>> async_url("postgresql://a:b@127.0.0.1:5432/cingulum")
    'postgresql+asyncpg://a:b@127.0.0.1:5432/cingulum'
    """
    scheme, rest = url.split("://", 1)
    return f"postgresql+asyncpg://{rest}" if scheme in {"postgresql", "postgres"} else url


def _engine(
    url: str, size: int, service: str, patience: Patience, statement_s: float, **more: Any
) -> AsyncEngine:
    engine = create_async_engine(
        async_url(url),
        pool_size=size,
        max_overflow=0,
        pool_timeout=patience.acquire_s,
        hide_parameters=True,  # errors are logged, and parameters may be confidential
        json_serializer=lambda value: json.dumps(value, allow_nan=False, default=str),
        json_deserializer=orjson.loads,
        connect_args={
            # A pooler between us and the server may hand a prepared name to another connection.
            "prepared_statement_name_func": lambda: f"__{uuid4()}__",
            "timeout": patience.connect_s,
            "command_timeout": statement_s + ANSWER_S,
            "server_settings": {
                "application_name": f"cingulum-{service}",
                "timezone": "UTC",
                **PLANNER,
                "statement_timeout": _milliseconds(statement_s),
                "lock_timeout": _milliseconds(patience.lock_s),
                # Locks of a client that vanished are released within minutes, not when TCP times out after two hours.
                "idle_in_transaction_session_timeout": _milliseconds(120),
                "tcp_keepalives_idle": "30",
                "tcp_keepalives_interval": "10",
                "tcp_keepalives_count": "3",
            },
        },
        **more,
    )
    _check_when_acquired(engine)
    return engine


def _check_when_acquired(engine: AsyncEngine) -> None:
    """Let the pool replace a connection that has ended, and ask one that was idle whether its server still answers.

    The pool's own check asks each time: for a write these are three more round trips.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def remember(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def check(
        connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is None:
            return  # new
        driver: Any = record.driver_connection
        if driver.is_closed():
            raise InvalidatePoolError("the connection has ended")
        if time.monotonic() - used_at > PING_AFTER_S:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError("the server has ended the connection") from error


def _milliseconds(seconds: float) -> str:
    return str(round(1000 * seconds))


def opened(connection: AsyncConnection) -> Connection:
    """What a connection that is open wraps."""
    assert connection.sync_connection is not None  # noqa: S101 - for the type checker
    return connection.sync_connection


async def _roll_back(session: WriteSession, connection: AsyncConnection) -> None:
    try:
        await session.close()
    finally:
        await connection.close()


class Database:
    """The pools of one service in one process, and one connection that only checks that the server answers."""

    def __init__(
        self,
        url: str,
        service: str,
        *,
        writers: int = 3,
        readers: int = 5,
        patience: Patience | None = None,
    ) -> None:
        self.service = service
        self.patience = patience or Patience()
        self.writing = _engine(url, writers, service, self.patience, self.patience.write_s)
        # AUTOCOMMIT spares the server a BEGIN and a ROLLBACK around each read.
        self.reading = self._autocommit(url, readers, self.patience.read_s)
        self.reading_long = self._autocommit(url, LONG_READERS, LONG_READ_S)
        self.probing = self._autocommit(url, 1, self.patience.read_s)
        self.shares = Shares(max(1, readers - 2))
        # A waiting caller outlasts a statement that the server does not respond to, and is refused for that reason.
        self.write_shares = Shares(max(1, writers - 1), patience_s=self.patience.write_s + 2 * ANSWER_S)
        self.long_shares = Shares(LONG_READERS - 1, patience_s=LONG_READ_S)
        self.read_session = async_sessionmaker(
            self.reading, class_=ReadSession, autoflush=False, expire_on_commit=False
        )
        self._long_session = async_sessionmaker(
            self.reading_long, class_=ReadSession, autoflush=False, expire_on_commit=False
        )

    def _autocommit(self, url: str, size: int, statement_s: float) -> AsyncEngine:
        return _engine(url, size, self.service, self.patience, statement_s, isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[WriteSession]:
        """A session whose work is committed at the end, or rolled back; its caller holds a share of the connections.

        Raises DATABASE_ERRORS, TooManyRequests.
        """
        async with self.write_shares.one():
            async with asyncio.timeout(self.patience.acquire_s):
                connection = await self.writing.connect()
            session = WriteSession(connection)
            try:
                opened(connection).begin()
                async with asyncio.timeout(
                    None if caller.get() is None else STATEMENTS * self.patience.write_s
                ):
                    yield session
                await session.commit()
                await connection.commit()
            except TimeoutError:
                await connection.invalidate()  # a server that hangs would not answer a ROLLBACK either
                raise
            finally:
                if connection.in_transaction():
                    await asyncio.shield(asyncio.create_task(_roll_back(session, connection)))
                else:
                    opened(connection).close()  # nothing is sent, so nothing has to be awaited

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        """A session of a request: its statements have a time limit, its caller a share of the connections.

        Raises DATABASE_ERRORS, TooManyRequests.
        """
        async with self.shares.one(), self._alive(self.read_session) as session:
            yield session

    @asynccontextmanager
    async def read_page(self) -> AsyncIterator[PageSession]:
        """The same for a request that reads one page. Raises DATABASE_ERRORS, TooManyRequests."""
        async with self.shares.one():
            async with asyncio.timeout(self.patience.acquire_s):
                connection = await self.reading.raw_connection()
            try:
                yield PageSession(connection)
            except TimeoutError:
                connection.invalidate()
                raise
            finally:
                connection.close()

    @asynccontextmanager
    async def read_long(self) -> AsyncIterator[ReadSession]:
        """A session for sweeps, and for tables that many callers share. Raises DATABASE_ERRORS, TooManyRequests."""
        async with self.long_shares.one(), self._alive(self._long_session) as session:
            yield session

    @asynccontextmanager
    async def _alive(self, sessions: async_sessionmaker[ReadSession]) -> AsyncIterator[ReadSession]:
        async with sessions() as session:
            await self._acquire(session)
            try:
                yield session
            except TimeoutError:
                await session.invalidate()
                raise

    async def _acquire(self, session: ReadSession) -> None:
        async with asyncio.timeout(self.patience.acquire_s):
            await session.connection()

    async def ping(self) -> None:
        """Raise (DATABASE_ERRORS) unless the server answers at once; busy pools do not matter."""
        async with asyncio.timeout(PING_S), self.probing.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections. One whose statement was cancelled waits for the server, with a limit."""
        for name in ("writing", "reading", "reading_long", "probing"):
            engine: AsyncEngine = getattr(self, name)
            await end_within(CLOSE_S, engine.dispose(), f"the pool {name} of {self.service}")

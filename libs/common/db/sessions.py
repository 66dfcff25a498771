"""Two types of database session: one that reads, and one that can also lock and write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from sqlalchemy import Connection, event
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, AsyncSessionTransaction
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.pool import PoolProxiedConnection

_REFUSAL = "a ReadSession only reads: use the WriteSession of a transaction"


class _ReadingSession(Session):
    """What a ReadSession runs its statements in."""


@event.listens_for(_ReadingSession, "do_orm_execute")
def _refuse_writes(state: ORMExecuteState) -> None:
    is_write = state.is_insert or state.is_update or state.is_delete
    if is_write or getattr(state.statement, "_for_update_arg", None) is not None:
        raise TypeError(_REFUSAL)


class PageSession:
    """A connection of a request that reads one page, by `fetch_prepared`.

    To open and close a session of SQLAlchemy would take longer than a short list.
    """

    def __init__(self, connection: PoolProxiedConnection) -> None:
        self.connection = connection


class ReadSession(AsyncSession):
    """A session of a request that reads. What would write or lock raises TypeError."""

    sync_session_class: type[Session] = _ReadingSession
    can_write: ClassVar[bool] = False

    def _check(self) -> None:
        if not self.can_write:
            raise TypeError(_REFUSAL)

    def add(self, instance: object, *, _warn: bool = True) -> None:
        """Refused; see WriteSession."""
        self._check()
        super().add(instance, _warn=_warn)

    def add_all(self, instances: Iterable[object]) -> None:
        """Refused; see WriteSession."""
        self._check()
        super().add_all(instances)

    async def delete(self, instance: object) -> None:
        """Refused; see WriteSession."""
        self._check()
        await super().delete(instance)

    def begin_nested(self) -> AsyncSessionTransaction:
        """Refused; see WriteSession."""
        self._check()
        return super().begin_nested()

    async def commit(self) -> None:
        """Refused; see WriteSession."""
        self._check()
        await super().commit()

    async def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Refused; see WriteSession."""
        self._check()
        await super().flush(objects)


class WriteSession(ReadSession):
    """The session of a transaction: it can lock and write. It joins what `Database.begin` began on its connection."""

    sync_session_class = Session
    can_write = True

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection, expire_on_commit=False)
        self._joined = connection

    async def commit(self) -> None:
        """Write what is pending, and forget all objects. The transaction is the connection's, which commits it."""
        if self.in_transaction():
            await super().commit()
            self.sync_session.close()

    async def rollback(self) -> None:
        """Roll back the transaction, also what other than this session has written in it."""
        await super().rollback()
        await self._joined.rollback()

    def open_connection(self) -> Connection:
        """The connection, for statements that need no session. Raises PendingRollbackError after a rollback."""
        connection = self._joined.sync_connection
        if connection is None or not connection.in_transaction():
            raise PendingRollbackError("the transaction was rolled back")
        return connection


AnySession = PageSession | ReadSession

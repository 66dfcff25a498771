"""Two types of database session: one that reads, and one that can also lock and write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction
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
    """The session of a transaction: it can lock and write. `libs.common.db.Transaction` commits it."""

    sync_session_class = Session
    can_write = True


AnySession = PageSession | ReadSession

"""One operation, one transaction: rows, audit row and outbox row together, committed before the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Request

from libs.common.db.collected import insert_collected
from libs.common.db.driver_statements import flush_pending
from libs.common.db.engine import Database
from libs.common.db.idempotency import claim_key
from libs.common.db.sessions import PageSession, ReadSession, WriteSession
from libs.common.db.tables import Infrastructure
from libs.common.events import Event
from libs.common.observability import logger, request_id
from libs.common.permissions import Principal


@dataclass(frozen=True, slots=True)
class AuditedAction:
    """Who did what to which object is audited; `before` and `after` hold only what changed."""

    action: str
    object_type: str
    object_id: UUID | str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class Transaction:
    """What an operation works with. It never commits by itself."""

    def __init__(
        self, session: WriteSession, tables: Infrastructure, by: Principal | None, request: str
    ) -> None:
        self.session = session
        self.tables = tables
        self.by = by
        self.request_id = request
        self._published: list[dict[str, Any]] = []
        self._audited: list[dict[str, Any]] = []
        self._flushed_events = False
        self._callbacks: dict[str, Callable[[], None]] = {}

    def publish(self, event: Event) -> None:
        """Publish an event; it is inserted with the rows, and announced once they are committed."""
        self._published.append(
            {
                "id": uuid4(),
                "subject": event.subject,
                "payload": event.model_dump(mode="json"),
                "request_id": self.request_id,
            }
        )

    def audit(
        self,
        action: str,
        object_type: str,
        object_id: UUID | str,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """Add an audit row: who did what to which object; `before` and `after` hold only what changed."""
        self._audited.append(self._audit_row(AuditedAction(action, object_type, object_id, before, after)))

    def audit_change(
        self, object_type: str, object_id: UUID | str, *, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        """Add what changed to the entry of the object's creation or change in this transaction, if there is one."""
        of_object = (object_type, str(object_id))
        for row in reversed(self._audited):
            if (row["object_type"], row["object_id"]) != of_object:
                continue
            if row["action"] in {f"{object_type}.created", f"{object_type}.changed"}:
                row["after"] = {**(row["after"] or {}), **after}
                if row["action"] == f"{object_type}.changed":
                    row["before"] = {**before, **(row["before"] or {})}
                    self._drop_equal(row)
                return
        self.audit(f"{object_type}.changed", object_type, object_id, before=before, after=after)

    def _drop_equal(self, row: dict[str, Any]) -> None:
        """Leave out what is as it was before; an entry of nothing is none."""
        before, after = row["before"], row["after"]
        changed = [name for name in after if name not in before or before[name] != after[name]]
        row["before"] = {name: before[name] for name in changed if name in before}
        row["after"] = {name: after[name] for name in changed}
        if not changed:
            self._audited.remove(row)

    def _audit_row(self, audited: AuditedAction) -> dict[str, Any]:
        return {
            "user_id": self.by.user_id if self.by else None,
            "username": self.by.username if self.by else "system",
            "action": audited.action,
            "object_type": audited.object_type,
            "object_id": str(audited.object_id),
            "before": audited.before,
            "after": audited.after,
            "request_id": self.request_id,
        }

    async def insert_audit(self, audited: AuditedAction) -> int:
        """Add an audit row at once; its id, by which other rows refer to it."""
        row = self._audit_row(audited)
        inserted = self.tables.audit.insert().values(row).returning(self.tables.audit.c.id)
        return int((await self.session.execute(inserted)).scalar_one())

    def after_commit(self, key: str, callback: Callable[[], None]) -> None:
        """Call a function once this transaction has committed; of several with one key only the first.

        It must not wait. One that fails is logged: the rows are committed, so the request has succeeded.
        """
        self._callbacks.setdefault(key, callback)

    def run_callbacks(self) -> None:
        """Call what `after_commit` registered; for the writer that committed."""
        callbacks, self._callbacks = self._callbacks, {}
        for key, callback in callbacks.items():
            try:
                callback()
            except Exception as error:  # noqa: BLE001 - what is committed can no longer fail
                logger("db").error("a callback after a commit failed", key=key, exc_info=error)

    @property
    def has_published(self) -> bool:
        """Whether the relay has events to announce once this is committed."""
        return bool(self._published) or self._flushed_events

    @asynccontextmanager
    async def part(self) -> AsyncIterator[Transaction]:
        """A part of this transaction that is rolled back if the block fails, while the rest continues."""
        async with self.session.begin_nested():
            part = Transaction(self.session, self.tables, self.by, self.request_id)
            yield part
            await part.flush()
        self._flushed_events = self._flushed_events or part.has_published
        for key, callback in part._callbacks.items():
            self.after_commit(key, callback)

    async def flush(self) -> None:
        """Send what was collected to the database, inside the transaction; what was sent before is not sent again."""
        await flush_pending(self.session)
        audited, self._audited = self._audited, []
        events, self._published = self._published, []
        self._flushed_events = self._flushed_events or bool(events)
        await insert_collected(self.session, self.tables, audited, events)


@dataclass
class Commits:
    """How many transactions the writers of one service have committed in this process."""

    number: int = 0


class Writer:
    """Makes transactions for one service.

    `after_commit` is called when something was published.
    """

    def __init__(
        self,
        database: Database,
        tables: Infrastructure,
        after_commit: Callable[[], None],
        commits: Commits | None = None,
    ) -> None:
        self.database = database
        self.tables = tables
        self.after_commit = after_commit
        self.commits = commits or Commits()

    def another(self, database: Database | None = None) -> Writer:
        """A writer of the same service, on a pool of its own perhaps."""
        return Writer(database or self.database, self.tables, self.after_commit, self.commits)

    @asynccontextmanager
    async def begin(
        self, by: Principal | None = None, request: str | None = None
    ) -> AsyncIterator[Transaction]:
        """A transaction that commits at the end of the block, or is rolled back."""
        async with self.database.begin() as session:
            tx = Transaction(session, self.tables, by, request or request_id.get())
            yield tx
            await tx.flush()
        self.commits.number += 1
        if tx.has_published:
            self.after_commit()
        tx.run_callbacks()


@asynccontextmanager
async def open_transaction(request: Request) -> AsyncIterator[Transaction]:
    """The transaction of a request, which has claimed its key."""
    writer: Writer = request.app.state.writer
    async with writer.begin(getattr(request.state, "principal", None)) as tx:
        await claim_key(tx, request)
        request.state.tx = tx
        yield tx


async def transaction(request: Request) -> AsyncIterator[Transaction]:
    """The transaction of a request; use as `tx: Tx`. It is committed before the answer leaves."""
    async with open_transaction(request) as tx:
        yield tx


Tx = Annotated[Transaction, Depends(transaction, scope="function")]
Begin = Callable[[], AbstractAsyncContextManager[Transaction]]


async def beginning(request: Request) -> Begin:
    """For an operation that first waits for something slow, and holds no connection meanwhile.

    Use as `begin: Begins`, and then `async with begin() as tx`. Idempotency keys do not count here.
    """
    writer: Writer = request.app.state.writer
    return partial(writer.begin, getattr(request.state, "principal", None))


Begins = Annotated[Begin, Depends(beginning)]


def open_reading(request: Request) -> AbstractAsyncContextManager[ReadSession]:
    """The reading session of a request."""
    database: Database = request.app.state.database
    return database.read()


async def reading(request: Request) -> AsyncIterator[ReadSession]:
    """A reading session of a request; use as `session: Reading`."""
    async with open_reading(request) as session:
        yield session


Reading = Annotated[ReadSession, Depends(reading, scope="function")]


def open_reading_page(request: Request) -> AbstractAsyncContextManager[PageSession]:
    """The connection of a request that reads one page."""
    database: Database = request.app.state.database
    return database.read_page()


async def reading_page(request: Request) -> AsyncIterator[PageSession]:
    """The same as `reading` for a list that is one statement; use as `session: PageReading`."""
    async with open_reading_page(request) as session:
        yield session


PageReading = Annotated[PageSession, Depends(reading_page, scope="function")]


def open_reading_long(request: Request) -> AbstractAsyncContextManager[ReadSession]:
    """The same for tables that many callers share and that are read rarely."""
    database: Database = request.app.state.database
    return database.read_long()


async def reading_long(request: Request) -> AsyncIterator[ReadSession]:
    """The same as `reading` on the connections of `open_reading_long`; use as `session: LongReading`."""
    async with open_reading_long(request) as session:
        yield session


LongReading = Annotated[ReadSession, Depends(reading_long, scope="function")]

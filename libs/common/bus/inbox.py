"""Statements on the events that a service knows: `inbox` has the handled ones, `dead_events` those that wait for a
retry or are parked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import ReturningInsert

from libs.common.bus.failures import FailureCounts, Next, spread
from libs.common.bus.handlers import BATCH, Envelope
from libs.common.db.conditions import Condition
from libs.common.db.json_pages import request_value
from libs.common.db.prepared_writes import execute_prepared
from libs.common.db.sessions import ReadSession, WriteSession
from libs.common.db.tables import Infrastructure
from libs.common.schemas.administration import FailedEvent
from libs.common.schemas.pages import PageRequest

ERROR_CHARACTERS = 2_000
_LOCK: Final = sa.select(
    sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(request_value("name", sa.Text()), 0))
)


class Inbox:
    """Handled, waiting and parked events of one service."""

    def __init__(self, tables: Infrastructure) -> None:
        self.handled, self.events = tables.inbox, tables.dead_events
        self.waits: Condition = self.events.c.parked_at.is_(None)
        self._inserts_if_due = {has_key: self._insert_if_due(has_key=has_key) for has_key in (False, True)}

    async def lock_key(self, session: WriteSession, key: str) -> None:
        """Lock a key until the transaction ends: no other replica handles its events."""
        name = f"{self.events.fullname}:{key}"
        await execute_prepared(session, _LOCK, name=name)

    async def insert_handled_if_due(self, session: WriteSession, event: Envelope) -> bool | None:
        """Insert an event as handled; whether it was waiting. None if it must not be tried now.

        That is if it was handled before, is parked, is not due, or waits behind another event of its key.
        """
        values: dict[str, Any] = {"event_id": event.id}
        if event.key is not None:
            values |= {"key": event.key, "said_at": event.said_at}
        statement = self._inserts_if_due[event.key is not None]
        rows = await execute_prepared(session, statement, **values)
        return rows[0]["was_waiting"] if rows else None

    def _insert_if_due(self, *, has_key: bool) -> ReturningInsert[Any]:
        events, event_id = self.events, request_value("event_id", sa.Uuid())
        mine = sa.exists().where(events.c.event_id == event_id)
        allowed = ~mine.where(sa.or_(~self.waits, events.c.retry_at > sa.func.now()))
        if has_key:
            allowed = sa.and_(allowed, ~self._is_blocked(event_id))
        return (
            insert(self.handled)
            .from_select(["event_id"], sa.select(event_id).where(allowed))
            .on_conflict_do_nothing()
            .returning(mine.label("was_waiting"))
        )

    def _is_blocked(self, event_id: Any) -> Condition:
        """Another event of its key waits, which comes before it."""
        other = self.events.alias("earlier")
        place = sa.tuple_(request_value("said_at", sa.TIMESTAMP(timezone=True)), event_id)
        return sa.exists().where(
            other.c.key == request_value("key", sa.Text()),
            other.c.parked_at.is_(None),
            sa.tuple_(other.c.said_at, other.c.event_id) < place,
        )

    async def exists_handled(self, session: ReadSession, event_id: UUID) -> bool:
        """Whether an event was handled before."""
        return bool(await session.scalar(sa.select(sa.exists().where(self.handled.c.event_id == event_id))))

    async def insert_waiting_event(self, session: WriteSession, event: Envelope) -> None:
        """Insert an event that must not be tried now into the waiting ones, unless it is there."""
        await session.execute(self._row(event, failures=0, error="").on_conflict_do_nothing())

    async def lock_tries(self, session: WriteSession, event_id: UUID) -> FailureCounts:
        """The failures of an event so far; locks its row."""
        events = self.events
        result = await session.execute(
            sa.select(events.c.failures, events.c.transient)
            .where(events.c.event_id == event_id)
            .with_for_update()
        )
        row = result.first()
        return FailureCounts(row.failures, row.transient) if row else FailureCounts()

    async def insert_failure(
        self, session: WriteSession, event: Envelope, following: Next, error: str
    ) -> None:
        """Store a failure in place of an earlier one, and the next attempt or that it is parked."""
        pause = following.pause_s
        values: dict[str, Any] = {
            "failures": following.tries.own,
            "transient": following.tries.transient,
            "error": error[:ERROR_CHARACTERS],
            "failed_at": sa.func.clock_timestamp(),
            "retry_at": _from_now(0.0 if pause is None else spread(pause, event.id)),
            "parked_at": sa.func.clock_timestamp() if pause is None else None,
        }
        again = self._row(event, **values)
        await session.execute(
            again.on_conflict_do_update(
                index_elements=[self.events.c.event_id], set_=values, where=self.waits
            )
        )

    def _row(self, event: Envelope, **values: Any) -> Insert:
        return insert(self.events).values(
            event_id=event.id,
            subject=event.subject,
            payload=event.payload,
            request_id=event.request_id,
            key=event.key,
            said_at=event.said_at,
            **values,
        )

    async def insert_handled(self, session: WriteSession, event_id: UUID) -> None:
        """Insert an event into the handled ones without handling it."""
        await session.execute(insert(self.handled).values(event_id=event_id).on_conflict_do_nothing())

    async def delete_handled(self, session: WriteSession, event_id: UUID) -> None:
        """Delete an event from the handled ones, as its handler failed."""
        await session.execute(self.handled.delete().where(self.handled.c.event_id == event_id))

    async def delete_failed_event(self, session: WriteSession, event_id: UUID) -> None:
        """Delete an event from the parked or waiting ones."""
        await session.execute(self.events.delete().where(self.events.c.event_id == event_id))

    def is_unknown(self, event_id: Any) -> Condition:
        """The condition that an event is neither handled, waiting nor parked."""
        return sa.and_(
            ~sa.exists().where(self.handled.c.event_id == event_id),
            ~sa.exists().where(self.events.c.event_id == event_id),
        )

    def _first_of_key(self) -> Condition:
        events, other = self.events, self.events.alias("earlier")
        earlier = sa.exists().where(
            other.c.key == events.c.key,
            other.c.parked_at.is_(None),
            sa.tuple_(other.c.said_at, other.c.event_id) < sa.tuple_(events.c.said_at, events.c.event_id),
        )
        return sa.or_(events.c.key.is_(None), ~earlier.correlate(events))

    async def fetch_due_events(self, session: ReadSession) -> list[Envelope]:
        """Events whose retry is due and that are the first of their key, longest due first; at most a batch."""
        due = self._events().where(self.waits, self.events.c.retry_at <= sa.func.now(), self._first_of_key())
        return _envelopes(await session.execute(due.order_by(self.events.c.retry_at).limit(BATCH)))

    async def find_next_event(self, session: ReadSession, key: str) -> Envelope | None:
        """The first waiting event of a key, if its retry is due."""
        events = self.events
        due = self._events().where(
            self.waits, events.c.key == key, events.c.retry_at <= sa.func.now(), self._first_of_key()
        )
        return next(iter(_envelopes(await session.execute(due.limit(1)))), None)

    def _events(self) -> sa.Select[Any]:
        events = self.events
        return sa.select(
            events.c.event_id, events.c.subject, events.c.payload, events.c.request_id, events.c.said_at
        )

    async def find_seconds_until_due(self, session: ReadSession) -> float | None:
        """Seconds until the next retry of any event; None if none waits."""
        left = sa.func.extract("epoch", self.events.c.retry_at - sa.func.clock_timestamp())
        first = sa.select(left).where(self.waits, self._first_of_key())
        seconds = await session.scalar(first.order_by(self.events.c.retry_at).limit(1))
        return None if seconds is None else max(0.0, float(seconds))

    async def count_failed_events(self, session: ReadSession) -> tuple[int, int]:
        """Numbers of parked and of waiting events."""
        n = sa.func.count()
        row = (await session.execute(sa.select(n.filter(~self.waits), n.filter(self.waits)))).one()
        return int(row[0]), int(row[1])

    async def list_failed_events(
        self, session: ReadSession, paging: PageRequest, *, parked: bool
    ) -> tuple[int, list[FailedEvent]]:
        """The number of parked (or waiting) events, and one page of them, oldest first."""
        events = self.events
        condition = ~self.waits if parked else self.waits
        n = await session.scalar(sa.select(sa.func.count()).select_from(events).where(condition))
        page = sa.select(events).where(condition).order_by(events.c.said_at, events.c.event_id)
        rows = await session.execute(page.limit(paging.limit).offset(paging.offset))
        return int(n or 0), [_failed(row) for row in rows.mappings()]

    async def find_and_lock_failed_event(self, session: WriteSession, event_id: UUID) -> FailedEvent | None:
        """A parked or waiting event, locked; None if there is none."""
        mine = sa.select(self.events).where(self.events.c.event_id == event_id).with_for_update()
        row = (await session.execute(mine)).mappings().one_or_none()
        return None if row is None else _failed(row)

    async def update_to_retry_now(self, session: WriteSession, event_id: UUID) -> FailedEvent:
        """Make a parked or waiting event, which was locked, due now."""
        now = {"parked_at": None, "failures": 0, "transient": 0, "retry_at": sa.func.now()}
        changed = self.events.update().where(self.events.c.event_id == event_id).values(now)
        return _failed((await session.execute(changed.returning(self.events))).mappings().one())


def _failed(row: sa.RowMapping) -> FailedEvent:
    values = {name: row[name] for name in FailedEvent.model_fields}
    return FailedEvent(**(values | ({} if row["parked_at"] is None else {"retry_at": None})))


def _envelopes(rows: Iterable[sa.Row[Any]]) -> list[Envelope]:
    return [Envelope(row.event_id, row.subject, row.payload, row.request_id, row.said_at) for row in rows]


def _from_now(seconds: float) -> sa.ColumnElement[datetime]:
    interval = sa.func.make_interval(0, 0, 0, 0, 0, 0, sa.cast(seconds, sa.Double))
    return sa.func.clock_timestamp() + interval

"""Handles each event of other services once: by messages, by the sweep, and by retries after failures."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from weakref import WeakValueDictionary

import sqlalchemy as sa
from pydantic import ValidationError

from libs.common.bus.failures import InvalidPayload, Next, NoHandler, after_failure, cause_of
from libs.common.bus.handlers import BATCH, Envelope, EventHandlers
from libs.common.bus.inbox import Inbox
from libs.common.catalogue import Service
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.db.transaction import Transaction, Writer
from libs.common.events import RETIRED
from libs.common.observability import DEAD, HANDLED, WAITING, logger, request_id
from libs.common.published import EVENTS, table

WHOLE_SWEEP_S: Final = 3600.0
LOOK_BACK_S: Final = 30 * 24 * 3600.0
LATE_COMMIT_S: Final = 600.0
HANDLE_S: Final = 60.0  # a handler that takes longer hangs: its event is retried, so that others are handled
AGAIN_S: Final = 5.0  # pause before a retry while the database is unavailable
SOON_S: Final = 0.1  # an event is due but could not be tried: another replica is handling it


class Outcome(StrEnum):
    """The state of an event after an attempt to handle it; it is stored in the database."""

    HANDLED = "handled"
    BEFORE = "handled before"
    WAITS = "waits"
    PARKED = "parked"


class Listener:
    """Handles each event of other services once.

    `handle_s` limits the time of a handler. Events that fail are stored and retried; those of one key are handled in
    their order.
    """

    def __init__(
        self,
        service: Service,
        writer: Writer,
        handlers: EventHandlers,
        sweep_every_s: float,
        handle_s: float = HANDLE_S,
    ) -> None:
        self.service = service
        self.writer = writer
        self.handlers = handlers
        self.sweep_every_s = sweep_every_s
        self.handle_s = handle_s
        self.inbox = Inbox(writer.tables)
        self.log = logger("listener")
        # Start (monotonic) of the last sweep that found no more than a batch: nothing older is missing.
        self._swept_at: dict[Service, float] = {}
        self._full_sweep_at = 0.0
        self._wake = asyncio.Event()  # set when an event was added to the waiting ones
        # An event waits for another one of its key without a connection, so that requests can have it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def handle(self, event: Envelope, how: str) -> Outcome:
        """Handle an event once, or store it for a retry; raises DATABASE_ERRORS if neither can be committed.

        `how` is the label of the metric.
        """
        token = request_id.set(event.request_id)
        lock = self._locks.setdefault(event.key or str(event.id), asyncio.Lock())
        try:
            async with lock:
                outcome = await self._handle(event, how)
        finally:
            request_id.reset(token)
        if outcome is Outcome.WAITS:
            self.wake()
        return outcome

    def wake(self) -> None:
        """Recheck the waiting events now: one was added, or is to be retried at once."""
        self._wake.set()

    async def _handle(self, event: Envelope, how: str) -> Outcome:
        failure: Exception | None = None
        try:
            async with self.writer.begin(request=event.request_id) as tx:
                if event.key is not None:
                    await self.inbox.lock_key(tx.session, event.key)
                waited = await self.inbox.insert_handled_if_due(tx.session, event)
                if waited is None:
                    return await self._skip_or_queue(tx, event)
                failure = await self._try(tx, event)
                if failure is not None:
                    await self.inbox.delete_handled(tx.session, event.id)
                    return await self._store_failure(tx, event, failure)
                if waited:
                    await self.inbox.delete_failed_event(tx.session, event.id)
        except DATABASE_ERRORS as error:
            # The transaction was rolled back, perhaps with the stored failure: store it in another one.
            async with self.writer.begin(request=event.request_id) as tx:
                return await self._store_failure(tx, event, failure or error)
        HANDLED.labels(self.service, event.subject, how).inc()
        return Outcome.HANDLED

    async def _skip_or_queue(self, tx: Transaction, event: Envelope) -> Outcome:
        if await self.inbox.exists_handled(tx.session, event.id):
            await self.inbox.delete_failed_event(tx.session, event.id)
            return Outcome.BEFORE
        await self.inbox.insert_waiting_event(tx.session, event)
        return Outcome.WAITS

    async def _try(self, tx: Transaction, event: Envelope) -> Exception | None:
        """Run the handler in a savepoint, which is rolled back if it fails; the failure, or None."""
        failure: Exception | None = None
        try:
            async with tx.part() as part:
                try:
                    async with asyncio.timeout(self.handle_s):
                        await self._call(part, event)
                        await part.flush()
                except Exception as error:
                    failure = error  # the cause: a broken savepoint, which follows from it, is less specific
                    raise
        except Exception as error:  # noqa: BLE001 - any failure is stored, and the event retried
            return failure or error
        return None

    async def _call(self, tx: Transaction, event: Envelope) -> None:
        if event.subject in RETIRED:
            return
        entry = self.handlers.handler_of(event.subject)
        if entry is None:
            raise NoHandler(f"This version of {self.service} has no handler for {event.subject}.")
        kind, handler = entry
        try:
            content = kind.model_validate(event.payload)
        except ValidationError as error:
            raise InvalidPayload(str(error)) from error
        await handler(tx, content)

    async def _store_failure(self, tx: Transaction, event: Envelope, failure: Exception) -> Outcome:
        """Store a failure and the time of the next attempt."""
        cause = cause_of(failure)
        following: Next = after_failure(await self.inbox.lock_tries(tx.session, event.id), cause)
        await self.inbox.insert_failure(tx.session, event, following, repr(failure))
        self.log.warning(
            "an event could not be handled",
            subject=event.subject,
            event_id=str(event.id),
            cause=str(cause),
            next_try_s=following.pause_s,
            exc_info=failure,
        )
        return Outcome.PARKED if following.pause_s is None else Outcome.WAITS

    async def sweep(self) -> int:
        """Handle published events of other services that are unknown here, oldest first; their number.

        After a sweep that found all, the next ones read only newer events, and all events once an hour.
        """
        n_events = 0
        if time.monotonic() >= self._full_sweep_at:
            self._swept_at, self._full_sweep_at = {}, time.monotonic() + WHOLE_SWEEP_S
        began, missed, failure = time.monotonic(), {}, None
        try:
            async with self.writer.database.read_long() as session:
                for origin, subjects in self.handlers.origins().items():
                    missed[origin] = (await session.execute(self._missed(origin, subjects))).all()
        except DATABASE_ERRORS as error:
            failure = error  # events that were read before are handled first
        for origin, rows in missed.items():
            for row in rows:
                await self.handle(Envelope(*row), "sweep")
            if len(rows) < BATCH:
                self._swept_at[origin] = began
            n_events += len(rows)
        if failure is not None:
            raise failure
        return n_events

    def _missed(self, origin: Service, subjects: Collection[str]) -> sa.Select[Any]:
        events = table(EVENTS[origin])
        return (
            sa.select(
                events.c.id, events.c.subject, events.c.payload, events.c.request_id, events.c.created_at
            )
            .where(
                events.c.subject.in_(subjects),
                events.c.created_at > self._since(origin),
                self.inbox.is_unknown(events.c.id),
            )
            .order_by(events.c.created_at, events.c.seq)
            .limit(BATCH)
        )

    def _since(self, origin: Service) -> sa.ColumnElement[datetime]:
        """Oldest events to read; a transaction may commit long after it inserted its event."""
        last_swept = self._swept_at.get(origin)
        back_s = LOOK_BACK_S if last_swept is None else time.monotonic() - last_swept + LATE_COMMIT_S
        return sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, sa.cast(back_s, sa.Double))

    async def run_sweep(self) -> None:
        """Sweep at the start and every `sweep_every_s`; without a pause while a whole batch is found."""
        while True:
            try:
                n_handled = await self.sweep()
            except DATABASE_ERRORS as error:
                self.log.info(
                    "the sweep is waiting for the database", error=str(error) or type(error).__name__
                )
                n_handled = 0
            await asyncio.sleep(0 if n_handled >= BATCH else self.sweep_every_s)

    async def retry(self) -> int:
        """Retry waiting events that are due; the number of those that no longer wait."""
        async with self.writer.database.read() as session:
            due = await self.inbox.fetch_due_events(session)
        left = 0
        for event in due:
            following: Envelope | None = event
            # Events behind it follow without a pause, but at most a batch, so that other keys do not wait for them.
            for _ in range(BATCH):
                if following is None or await self.handle(following, "retry") is Outcome.WAITS:
                    break
                left += 1
                following = await self._behind(event.key)
        return left

    async def _behind(self, key: str | None) -> Envelope | None:
        if key is None:
            return None
        async with self.writer.database.read() as session:
            return await self.inbox.find_next_event(session, key)

    async def run_retries(self) -> None:
        """Retry events when they are due, until cancelled."""
        while True:
            self._wake.clear()
            try:
                pause = await self._check_waiting()
                if pause <= 0:
                    pause = 0.0 if await self.retry() else SOON_S
            except DATABASE_ERRORS as error:
                self.log.info(
                    "retries are waiting for the database", error=str(error) or type(error).__name__
                )
                pause = min(AGAIN_S, self.sweep_every_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _check_waiting(self) -> float:
        """Update metrics; seconds until an event is due, or until the next check (other replicas add events too)."""
        async with self.writer.database.read() as session:
            parked, waits = await self.inbox.count_failed_events(session)
            due_in_s = await self.inbox.find_seconds_until_due(session) if waits else None
        DEAD.labels(self.service).set(parked)
        WAITING.labels(self.service).set(waits)
        return self.sweep_every_s if due_in_s is None else min(due_in_s, self.sweep_every_s)

"""Handles events: at once by messages, in any case by the sweep; each is handled once, and retried where it failed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from weakref import WeakValueDictionary

import nats
import sqlalchemy as sa
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig
from pydantic import ValidationError

from libs.common.bus.connection import STREAM, Bus
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
HANDLE_S: Final = 60.0  # a handler that takes longer hangs: it is tried again, and others get their turn
AGAIN_S: Final = 5.0  # how long the bell waits for a database that is unavailable
SOON_S: Final = 0.1  # what is due and could not be tried: another replica is at it


class Outcome(StrEnum):
    """What became of an event; each is written in the database."""

    HANDLED = "handled"
    BEFORE = "handled before"
    WAITS = "waits"
    PARKED = "parked"


class Listener:
    """Handles events: at once by messages, in any case by the sweep; each is handled once."""

    def __init__(
        self,
        service: Service,
        writer: Writer,
        bus: Bus,
        handlers: EventHandlers,
        sweep_every_s: float,
        handle_s: float = HANDLE_S,
    ) -> None:
        self.service = service
        self.writer = writer
        self.bus = bus
        self.handlers = handlers
        self.sweep_every_s = sweep_every_s
        self.handle_s = handle_s
        self.inbox = Inbox(writer.tables)
        self.log = logger("listener")
        self._heard: dict[Service, float] = {}  # until then (monotonic) nothing of theirs is missing
        self._whole_at = 0.0
        self._soon = asyncio.Event()  # something waits for a try that the retries do not know of yet
        # An event waits for another of its key without a connection, so that requests have one.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def handle(self, event: Envelope, how: str) -> Outcome:
        """Handle an event once, or store that it waits. Raises (DATABASE_ERRORS) if not even that can be done."""
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
        self._soon.set()

    async def _handle(self, event: Envelope, how: str) -> Outcome:
        failure: Exception | None = None
        try:
            async with self.writer.begin(request=event.request_id) as tx:
                if event.key is not None:
                    await self.inbox.lock_key(tx.session, event.key)
                waited = await self.inbox.take(tx.session, event)
                if waited is None:
                    return await self._not_now(tx, event)
                failure = await self._try(tx, event)
                if failure is not None:
                    await self.inbox.give_back(tx.session, event.id)
                    return await self._keep(tx, event, failure)
                if waited:
                    await self.inbox.forget(tx.session, event.id)
        except DATABASE_ERRORS as error:
            # The transaction is gone, perhaps with what it should write: once more in another one.
            async with self.writer.begin(request=event.request_id) as tx:
                return await self._keep(tx, event, failure or error)
        HANDLED.labels(self.service, event.subject, how).inc()
        return Outcome.HANDLED

    async def _not_now(self, tx: Transaction, event: Envelope) -> Outcome:
        if await self.inbox.was_handled(tx.session, event.id):
            return Outcome.BEFORE
        await self.inbox.put_behind(tx.session, event)
        return Outcome.WAITS

    async def _try(self, tx: Transaction, event: Envelope) -> Exception | None:
        """Let the handler do its work, all or nothing; what went wrong."""
        failure: Exception | None = None
        try:
            async with tx.part() as part:
                try:
                    async with asyncio.timeout(self.handle_s):
                        await self._call(part, event)
                        await part.flush()
                except Exception as error:
                    failure = error  # what follows from it, such as a broken savepoint, says less
                    raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is written down and the event tried again
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

    async def _keep(self, tx: Transaction, event: Envelope, failure: Exception) -> Outcome:
        """Store a failure, and when the next attempt is."""
        cause = cause_of(failure)
        following: Next = after_failure(await self.inbox.tries(tx.session, event.id), cause)
        await self.inbox.keep(tx.session, event, following, repr(failure))
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
        """Handle published events of other services that this service does not know, oldest first; how many there were.

        Once nothing was missing until some moment, only what came since is looked at, and all of it once an hour.
        """
        met = 0
        if time.monotonic() >= self._whole_at:
            self._heard, self._whole_at = {}, time.monotonic() + WHOLE_SWEEP_S
        began, missed, failure = time.monotonic(), {}, None
        try:
            async with self.writer.database.read_long() as session:
                for origin, subjects in self.handlers.origins().items():
                    missed[origin] = (await session.execute(self._missed(origin, subjects))).all()
        except DATABASE_ERRORS as error:
            failure = error  # what was read is handled all the same
        for origin, rows in missed.items():
            for row in rows:
                await self.handle(Envelope(*row), "sweep")
            if len(rows) < BATCH:
                self._heard[origin] = began
            met += len(rows)
        if failure is not None:
            raise failure
        return met

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
        """From when on events are looked at; a transaction may commit long after it wrote its event."""
        last_swept = self._heard.get(origin)
        back_s = LOOK_BACK_S if last_swept is None else time.monotonic() - last_swept + LATE_COMMIT_S
        return sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, sa.cast(back_s, sa.Double))

    async def run_sweep(self) -> None:
        """Sweep at the start and then every 20 s; at once again while there is much."""
        while True:
            try:
                n_handled = await self.sweep()
            except DATABASE_ERRORS as error:
                self.log.info("the sweep waits for the database", error=str(error) or type(error).__name__)
                n_handled = 0
            await asyncio.sleep(0 if n_handled >= BATCH else self.sweep_every_s)

    async def retry(self) -> int:
        """Retry waiting events that are due; how many no longer wait."""
        async with self.writer.database.read() as session:
            due = await self.inbox.due(session)
        left = 0
        for event in due:
            following: Envelope | None = event
            for _ in range(
                BATCH
            ):  # those behind it follow at once, but not so many that other keys wait for them
                if following is None or await self.handle(following, "retry") is Outcome.WAITS:
                    break
                left += 1
                following = await self._behind(event.key)
        return left

    async def _behind(self, key: str | None) -> Envelope | None:
        if key is None:
            return None
        async with self.writer.database.read() as session:
            return await self.inbox.next_of(session, key)

    async def run_retries(self) -> None:
        """Try events again when they are due, for as long as the service runs."""
        while True:
            self._soon.clear()
            try:
                pause = await self._look_at_waiting()
                if pause <= 0:
                    pause = 0.0 if await self.retry() else SOON_S
            except DATABASE_ERRORS as error:
                self.log.info("retries wait for the database", error=str(error) or type(error).__name__)
                pause = min(AGAIN_S, self.sweep_every_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._soon.wait(), pause)

    async def _look_at_waiting(self) -> float:
        """Update metrics; the time until an event is due, or until the next check (other replicas change it, too)."""
        async with self.writer.database.read() as session:
            parked, waits = await self.inbox.counts(session)
            due_in_s = await self.inbox.due_in_s(session) if waits else None
        DEAD.labels(self.service).set(parked)
        WAITING.labels(self.service).set(waits)
        return self.sweep_every_s if due_in_s is None else min(due_in_s, self.sweep_every_s)

    async def run_bell(self) -> None:
        """Handle events as their messages arrive; a deleted stream is created again, the sweep finds the rest."""
        while self.handlers.by_subject:
            try:
                await self._listen()
            except (NatsError, *DATABASE_ERRORS) as error:
                self.bus.forget_stream()
                self.log.info("the bell is unavailable", error=str(error) or type(error).__name__)
            await asyncio.sleep(0.5)

    async def _listen(self) -> None:
        js = await self.bus.jetstream()
        if js is None:
            return
        config = ConsumerConfig(
            durable_name=self.service,
            filter_subjects=self.handlers.subjects(),
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=HANDLE_S + 30,
            max_deliver=-1,  # our own rows say how often an event is tried
        )
        await js.add_consumer(STREAM, config)
        subscription = await js.pull_subscribe_bind(consumer=self.service, stream=STREAM)
        try:
            while self.bus.connected:
                try:
                    messages = await subscription.fetch(32, timeout=5)
                except (TimeoutError, nats.errors.TimeoutError):
                    await subscription.consumer_info()  # raises if somebody deleted it
                    continue
                for message in messages:
                    await self._one(message)
        finally:
            with contextlib.suppress(NatsError, OSError):
                await subscription.unsubscribe()

    async def _one(self, message: Msg) -> None:
        """Handle a message. It is acknowledged once it is handled, or kept for another try."""
        try:
            event = Envelope.decode(message.data)
        except (ValueError, KeyError, TypeError) as error:
            self.log.warning("a message is no event of ours", subject=message.subject, exc_info=error)
            await message.term()
            return
        try:
            await self.handle(event, "bell")
        except DATABASE_ERRORS:
            await message.nak(delay=AGAIN_S)
            raise
        await message.ack()

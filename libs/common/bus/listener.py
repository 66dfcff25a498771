"""Hears events: by the bell at once, by the sweep in any case; each is handled once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime

import nats
import sqlalchemy as sa
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig
from sqlalchemy.dialects.postgresql import insert

from libs.common.bus.connection import STREAM, Bus
from libs.common.bus.hearing import BATCH, Envelope, Hears
from libs.common.catalogue import Service
from libs.common.db.transaction import Writer
from libs.common.events import Event
from libs.common.observability import DEAD, HANDLED, logger, request_id
from libs.common.published import EVENTS, table

FAILURES = 5  # then the event is parked in dead_events
WHOLE_SWEEP_S = 3600.0
LOOK_BACK_S = 30 * 24 * 3600.0
LATE_COMMIT_S = 600.0


class Listener:
    """Hears events: by the bell at once, by the sweep in any case; each is handled once."""

    def __init__(
        self, service: Service, writer: Writer, bus: Bus, hears: Hears, sweep_every_s: float
    ) -> None:
        self.service = service
        self.writer = writer
        self.bus = bus
        self.hears = hears
        self.sweep_every_s = sweep_every_s
        self.log = logger("listener")
        self._heard: dict[Service, float] = {}  # until then (monotonic) nothing of theirs is missing
        self._whole_at = 0.0

    async def handle(self, event: Envelope, how: str) -> bool:
        """Handle an event once; False if it failed and is to be tried again."""
        handler = self.hears.handlers.get(event.subject)
        if handler is None:
            return True
        token = request_id.set(event.request_id)
        try:
            async with self.writer.begin() as tx:
                inbox = tx.tables.inbox
                first = await tx.session.execute(
                    insert(inbox)
                    .values(event_id=event.id)
                    .on_conflict_do_nothing()
                    .returning(inbox.c.event_id)
                )
                if first.first() is not None:
                    await handler(tx, Event.kinds[event.subject].model_validate(event.payload))
                    HANDLED.labels(self.service, event.subject, how).inc()
        except Exception as error:
            self.log.warning(
                "an event could not be handled", subject=event.subject, event_id=str(event.id), exc_info=error
            )
            return await self._failed(event, error)
        finally:
            request_id.reset(token)
        return True

    async def _failed(self, event: Envelope, error: Exception) -> bool:
        """Count a failure outside of the transaction that failed; True once the event is parked."""
        async with self.writer.database.begin() as session:
            dead = self.writer.tables.dead_events
            again = insert(dead).values(
                event_id=event.id,
                subject=event.subject,
                payload=event.payload,
                failures=1,
                error=repr(error)[:2000],
            )
            counted = again.on_conflict_do_update(
                index_elements=[dead.c.event_id],
                set_={
                    "failures": dead.c.failures + 1,
                    "error": again.excluded.error,
                    "failed_at": sa.func.now(),
                    "parked_at": sa.case((dead.c.failures + 1 >= FAILURES, sa.func.now())),
                },
            ).returning(dead.c.failures)
            failures = int((await session.execute(counted)).scalar_one())
            parked = await session.scalar(sa.select(sa.func.count()).where(dead.c.parked_at.is_not(None)))
            DEAD.labels(self.service).set(parked or 0)
        return failures >= FAILURES

    async def sweep(self) -> int:
        """Handle what neighbours have said and this service has not heard, oldest first; how many were handled.

        Once nothing was missing until some moment, only what came since is looked at, and all of it once an hour.
        """
        handled = 0
        tables = self.writer.tables
        if time.monotonic() >= self._whole_at:
            self._heard, self._whole_at = {}, time.monotonic() + WHOLE_SWEEP_S
        for origin, subjects in self.hears.origins().items():
            said = table(EVENTS[origin])
            missed = (
                sa.select(said.c.id, said.c.subject, said.c.payload, said.c.request_id)
                .where(
                    said.c.subject.in_(subjects),
                    said.c.created_at > self._since(origin),
                    ~sa.exists().where(tables.inbox.c.event_id == said.c.id),
                    ~sa.exists().where(
                        tables.dead_events.c.event_id == said.c.id,
                        tables.dead_events.c.parked_at.is_not(None),
                    ),
                )
                .order_by(said.c.created_at, said.c.seq)
                .limit(BATCH)
            )
            began = time.monotonic()
            async with self.writer.database.read() as session:
                rows = (await session.execute(missed)).all()
            done = [
                await self.handle(Envelope(row.id, row.subject, row.payload, row.request_id), "sweep")
                for row in rows
            ]
            if all(done) and len(rows) < BATCH:
                self._heard[origin] = began
            handled += sum(done)
        return handled

    def _since(self, origin: Service) -> sa.ColumnElement[datetime]:
        """From when on events are looked at; a transaction may commit long after it wrote its event."""
        heard = self._heard.get(origin)
        back_s = LOOK_BACK_S if heard is None else time.monotonic() - heard + LATE_COMMIT_S
        return sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, sa.cast(back_s, sa.Double))

    async def run_sweep(self) -> None:
        """Sweep at the start and then every 20 s; at once again while there is much."""
        while True:
            try:
                found = await self.sweep()
            except (sa.exc.SQLAlchemyError, OSError) as error:
                self.log.info("the sweep waits for the database", error=str(error))
                found = 0
            await asyncio.sleep(0 if found >= BATCH else self.sweep_every_s)

    async def run_bell(self) -> None:
        """Handle events as they ring; a stream that was deleted is made anew, its loss is the sweep's to mend."""
        while self.hears.handlers:
            try:
                await self._listen()
            except (TimeoutError, NatsError, OSError, sa.exc.SQLAlchemyError) as error:
                self.bus.forget_stream()
                self.log.info("the bell is away", error=str(error) or type(error).__name__)
            await asyncio.sleep(0.5)

    async def _listen(self) -> None:
        js = await self.bus.jetstream()
        if js is None:
            return
        config = ConsumerConfig(
            durable_name=self.service,
            filter_subjects=sorted(self.hears.handlers),
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=30,
            max_deliver=FAILURES + 5,
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
        if await self.handle(Envelope.decode(message.data), "bell"):
            await message.ack()
        else:
            await message.nak(delay=1)

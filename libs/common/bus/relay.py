"""Announces the events of the outbox on NATS."""

from __future__ import annotations

import asyncio
import contextlib

import sqlalchemy as sa
from nats.errors import Error as NatsError

from libs.common.bus.connection import Bus
from libs.common.bus.handlers import BATCH, Envelope
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.db.transaction import Writer
from libs.common.observability import OUTBOX


class Relay:
    """Announces committed events of one service on NATS, oldest first; `wake` is set after each commit."""

    def __init__(self, service: str, writer: Writer, bus: Bus, wake: asyncio.Event) -> None:
        self.service = service
        self.writer = writer
        self.bus = bus
        self.wake = wake

    async def run(self) -> None:
        """Announce after each commit of this process, and once a second for commits of other processes."""
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.wake.wait(), 1.0)
            self.wake.clear()
            try:
                while await self._announce_batch() == BATCH:
                    pass
            except (NatsError, *DATABASE_ERRORS) as error:
                self.bus.forget_stream()
                self.bus.log.info("events could not be announced", error=str(error) or type(error).__name__)
                await asyncio.sleep(0.5)

    async def _announce_batch(self) -> int:
        """Announce at most a batch; the number of announced events. A transaction locks them for other replicas."""
        js = await self.bus.jetstream()
        if js is None:
            return 0
        events = self.writer.tables.events
        waiting = (
            sa.select(events.c.seq)
            .where(events.c.rung_at.is_(None))
            .order_by(events.c.seq)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        async with self.writer.database.begin() as session:
            rows = (
                await session.execute(
                    events.update()
                    .where(events.c.seq.in_(waiting))
                    .values(rung_at=sa.func.now())
                    .returning(
                        events.c.seq,
                        events.c.id,
                        events.c.subject,
                        events.c.payload,
                        events.c.request_id,
                        events.c.created_at,
                    )
                )
            ).all()
            for row in sorted(rows, key=lambda row: row.seq):
                message = Envelope(row.id, row.subject, row.payload, row.request_id, row.created_at).encode()
                # NATS refuses a longer message each time, and those after it would wait: the sweep handles it.
                if len(message) < self.bus.largest_bytes:
                    await js.publish(row.subject, message, headers={"Nats-Msg-Id": str(row.id)})
        OUTBOX.labels(self.service).set(0 if len(rows) < BATCH else BATCH)
        return len(rows)

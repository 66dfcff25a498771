"""An event that fails waits for its next try without end, in order; only its own fault parks it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID, uuid4

import sqlalchemy as sa

from libs.common.bus import FAILURES, Envelope, EventHandlers, Listener, Outcome
from libs.common.catalogue import Service
from libs.common.db import Database, Transaction
from libs.common.db.tables import infrastructure
from libs.common.db.transaction import Writer
from libs.common.events import RETIRED, Event, ProofOrdered
from libs.common.problem import Conflict
from services.metadata.models import Base
from tests.support.system import Cingulum


class ThingHappened(Event):
    """For these tests: registry says it, metadata hears it, and it had another name once."""

    subject: ClassVar[str] = "cingulum.registry.thing.happened.v2"
    aliases: ClassVar[tuple[str, ...]] = ("cingulum.registry.thing.occurred.v1",)
    ordered_by: ClassVar[str | None] = "thing"
    thing: str
    n: int


@dataclass
class Handler:
    """Handles things in metadata; `fails` may raise first. `listener` is made anew by a restart."""

    writer: Writer
    fails: Callable[[ThingHappened], None] = lambda _event: None
    handled: list[tuple[str, int]] = field(default_factory=list)
    tried: list[tuple[str, int]] = field(default_factory=list)
    _published_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget all that is not in the database."""
        handlers = EventHandlers()

        @handlers.on(ThingHappened)
        async def thing_happened(tx: Transaction, event: ThingHappened) -> None:
            tx.audit("thing.handled", "thing", event.thing, after={"n": event.n})
            tx.publish(ProofOrdered(copy_ids=[]))
            self.tried.append((event.thing, event.n))
            self.fails(event)
            self.handled.append((event.thing, event.n))

        self.listener = Listener(Service.METADATA, self.writer, handlers, 600, handle_s=20)

    def event(self, thing: str, n: int, subject: str = ThingHappened.subject) -> Envelope:
        """An event as it is announced; each is a second later than the one before."""
        self._published_at += timedelta(seconds=1)
        return Envelope(uuid4(), subject, {"thing": thing, "n": n}, "r1", self._published_at)

    async def sql(self, statement: str, **values: object) -> list[sa.Row[tuple[object, ...]]]:
        """What a statement in metadata's tables answers."""
        async with self.writer.database.begin() as session:
            result = await session.execute(sa.text(statement), values)
            return list(result.all()) if isinstance(result, sa.CursorResult) and result.returns_rows else []

    async def let_pauses_end(self) -> None:
        """Whatever waits is due now."""
        await self.sql("UPDATE metadata.dead_events SET retry_at = now() WHERE parked_at IS NULL")

    async def waiting(self) -> list[str]:
        """The things whose events wait, oldest first."""
        rows = await self.sql(
            "SELECT payload->>'thing' AS thing FROM metadata.dead_events WHERE parked_at IS NULL ORDER BY said_at"
        )
        return [str(row.thing) for row in rows]

    async def parked(self) -> list[UUID]:
        """The events that are parked."""
        rows = await self.sql("SELECT event_id FROM metadata.dead_events WHERE parked_at IS NOT NULL")
        return [row.event_id for row in rows]


async def a_handler(cingulum: Cingulum) -> Handler:
    """What metadata's process would be, without its loops: only what the test does happens."""
    database = Database(cingulum.environment["CINGULUM_METADATA_DATABASE_URL"], Service.METADATA)
    cingulum.stack.push_async_callback(database.close)
    return Handler(Writer(database, infrastructure(Base.metadata), lambda: None))


def _away(_event: ThingHappened) -> None:
    raise OSError(5, "Input/output error")


def _wrong(_event: ThingHappened) -> None:
    raise Conflict("This thing cannot happen.")


async def test_a_long_outage_of_the_store_parks_no_event(cingulum: Cingulum) -> None:
    handler = await a_handler(cingulum)
    handler.fails = _away
    event = handler.event("a", 1)
    assert await handler.listener.handle(event, "message") is Outcome.WAITS
    for _ in range(4 * FAILURES):
        await handler.let_pauses_end()
        assert await handler.listener.retry() == 0
    assert len(handler.tried) == 1 + 4 * FAILURES
    assert await handler.parked() == []
    (row,) = await handler.sql("SELECT retry_at - failed_at AS pause, error FROM metadata.dead_events")
    assert timedelta(seconds=200) < row.pause < timedelta(seconds=301)
    assert "Input/output" in row.error
    handler.fails = lambda _event: None
    await handler.let_pauses_end()
    assert await handler.listener.retry() == 1
    assert handler.handled == [("a", 1)]
    assert await handler.waiting() == []
    audited = await handler.sql("SELECT count(*) AS n FROM metadata.audit WHERE action = 'thing.handled'")
    assert audited[0].n == 1  # each failed try left nothing behind


async def test_five_failures_park_an_event_and_others_of_its_key_continue(cingulum: Cingulum) -> None:
    handler = await a_handler(cingulum)
    handler.fails = lambda event: _wrong(event) if event.n == 1 else None
    bad, good = handler.event("a", 1), handler.event("a", 2)
    assert await handler.listener.handle(bad, "message") is Outcome.WAITS
    assert await handler.listener.handle(good, "message") is Outcome.WAITS
    for _ in range(FAILURES - 1):
        await handler.let_pauses_end()
        await handler.listener.retry()
    assert await handler.parked() == [bad.id]
    assert await handler.listener.handle(bad, "message") is Outcome.WAITS
    await handler.let_pauses_end()
    await handler.listener.retry()
    assert handler.handled == [("a", 2)]
    assert handler.tried.count(("a", 1)) == FAILURES


async def test_later_events_of_a_key_wait_behind_one_that_waits_and_other_keys_do_not(
    cingulum: Cingulum,
) -> None:
    handler = await a_handler(cingulum)
    handler.fails = lambda event: _away(event) if event.thing == "a" else None
    for n in range(4):
        for thing in ("a", "b"):
            await handler.listener.handle(handler.event(thing, n), "message")
    assert handler.handled == [("b", n) for n in range(4)]
    assert handler.tried.count(("a", 0)) == 1
    assert await handler.waiting() == ["a"] * 4
    handler.fails = lambda _event: None
    await handler.let_pauses_end()
    assert await handler.listener.retry() == 4
    assert handler.handled[4:] == [("a", n) for n in range(4)]


async def test_messages_and_sweep_obey_the_pause_also_after_a_restart(cingulum: Cingulum) -> None:
    handler = await a_handler(cingulum)
    registry = await cingulum.start(Service.REGISTRY)
    handler.fails = _away
    await registry.say(ThingHappened(thing="a", n=1))
    assert await handler.listener.sweep() == 1
    await handler.sql("UPDATE metadata.dead_events SET retry_at = now() + interval '1 hour'")
    (row,) = await handler.sql("SELECT * FROM metadata.dead_events")
    event = Envelope(row.event_id, row.subject, row.payload, row.request_id, row.said_at)
    handler.fails = lambda _event: None
    for _ in range(2):
        assert await handler.listener.handle(event, "message") is Outcome.WAITS
        assert await handler.listener.sweep() == 0
        assert await handler.listener.retry() == 0
        handler.restart()
    assert handler.tried == [("a", 1)]
    await handler.let_pauses_end()
    assert await handler.listener.retry() == 1
    assert await handler.listener.handle(event, "message") is Outcome.BEFORE
    assert handler.handled == [("a", 1)]


async def test_a_handler_that_hangs_is_left_and_others_get_their_turn(cingulum: Cingulum) -> None:
    handler, things = await a_handler(cingulum), []
    handlers = EventHandlers()

    @handlers.on(ThingHappened)
    async def hangs(tx: Transaction, event: ThingHappened) -> None:
        if event.thing == "a":
            await tx.session.execute(sa.text("SELECT pg_sleep(3600)"))
        things.append(event.thing)

    listener = Listener(Service.METADATA, handler.writer, handlers, 600, handle_s=0.5)
    assert await listener.handle(handler.event("a", 1), "message") is Outcome.WAITS
    assert await listener.handle(handler.event("b", 1), "message") is Outcome.HANDLED
    assert await handler.waiting() == ["a"]


async def test_an_event_under_an_old_name_is_handled_by_the_sweep_and_by_a_message(
    cingulum: Cingulum,
) -> None:
    handler = await a_handler(cingulum)
    registry = await cingulum.start(Service.REGISTRY)
    old = ThingHappened.aliases[0]
    assert await handler.listener.handle(handler.event("message", 1, old), "message") is Outcome.HANDLED
    async with registry.app.state.database.begin() as session:
        await session.execute(
            sa.text(
                "INSERT INTO registry.events (id, subject, payload, request_id) "
                'VALUES (gen_random_uuid(), :old, \'{"thing": "sweep", "n": 1}\', \'r1\')'
            ),
            {"old": old},
        )
    assert await handler.listener.sweep() == 1
    assert handler.handled == [("message", 1), ("sweep", 1)]
    assert old in handler.listener.handlers.subjects()


async def test_an_event_without_a_handler_waits_for_a_version_that_has_one(cingulum: Cingulum) -> None:
    handler = await a_handler(cingulum)
    older = Listener(Service.METADATA, handler.writer, EventHandlers(), 600)
    assert await older.handle(handler.event("a", 1), "message") is Outcome.WAITS
    await handler.let_pauses_end()
    assert await older.retry() == 0
    (row,) = await handler.sql("SELECT error FROM metadata.dead_events")
    assert "no handler" in row.error
    await handler.let_pauses_end()
    assert await handler.listener.retry() == 1
    assert handler.handled == [("a", 1)]


async def test_whatever_fails_and_restarts_each_event_is_handled_once_and_in_order(
    cingulum: Cingulum,
) -> None:
    handler, chance = await a_handler(cingulum), random.Random(6)
    down: set[str] = set()

    def fails(event: ThingHappened) -> None:
        if event.thing in down or chance.random() < 0.3:
            _away(event)

    handler.fails = fails
    events = [handler.event(chance.choice("abcd"), n) for n in range(40)]
    for event in events:
        down = {thing for thing in "abcd" if chance.random() < 0.4}
        for _ in range(chance.choice([1, 1, 2])):  # a message may be delivered twice
            await handler.listener.handle(event, "message")
        if chance.random() < 0.3:
            await handler.let_pauses_end()
            await handler.listener.retry()
        if chance.random() < 0.2:
            handler.restart()
    down, handler.fails = set(), lambda _event: None
    while await handler.waiting():
        await handler.let_pauses_end()
        await handler.listener.retry()
    assert sorted(n for _, n in handler.handled) == list(range(40))
    for thing in "abcd":
        numbers = [n for name, n in handler.handled if name == thing]
        assert numbers == sorted(numbers)
    assert await handler.parked() == []


async def test_an_event_of_a_handler_is_stored_once_and_announced(cingulum: Cingulum) -> None:
    handler, handlers, rung = await a_handler(cingulum), EventHandlers(), []
    handler.writer.after_commit = lambda: rung.append(True)

    @handlers.on(ThingHappened)
    async def thing_happened(tx: Transaction, event: ThingHappened) -> None:
        tx.publish(ProofOrdered(copy_ids=[]))

    listener = Listener(Service.METADATA, handler.writer, handlers, 600, handle_s=20)
    assert await listener.handle(handler.event("a", 1), "message") is Outcome.HANDLED
    rows = await handler.sql("SELECT subject FROM metadata.events")
    assert [row.subject for row in rows] == [ProofOrdered.subject]
    assert rung == [True]


async def test_what_is_left_of_a_retired_event_counts_as_handled(cingulum: Cingulum) -> None:
    handler, subject = await a_handler(cingulum), min(RETIRED)
    await handler.listener.handle(handler.event("a", 1, "cingulum.registry.thing.unknown.v1"), "message")
    await handler.sql("UPDATE metadata.dead_events SET subject = :subject", subject=subject)
    await handler.let_pauses_end()
    assert await handler.listener.retry() == 1
    assert await handler.listener.handle(handler.event("b", 1, subject), "message") is Outcome.HANDLED
    assert await handler.waiting() == []
    assert handler.handled == []

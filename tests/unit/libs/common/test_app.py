"""What runs beside the requests of a service."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from sqlalchemy.exc import ProgrammingError

from libs.common import app


async def test_a_loop_that_ends_by_an_error_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "AGAIN_S", 0.0)
    begun, goes_on = [], asyncio.Event()

    async def loop() -> None:
        begun.append(True)
        if len(begun) == 1:
            raise ValueError("nobody thought of this")
        goes_on.set()
        await asyncio.Event().wait()

    async with app.running([loop], "test"):
        await asyncio.wait_for(goes_on.wait(), 60)
    assert len(begun) == 2


async def test_what_is_to_be_closed_at_the_end_is_closed_then() -> None:
    closed = asyncio.Event()

    async def close() -> None:
        closed.set()

    async with app.running([lambda: app.at_the_end(close)], "test"):
        await asyncio.sleep(0)
        assert not closed.is_set()
    assert closed.is_set()


async def test_a_start_waits_for_a_database_that_does_not_respond_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "AGAIN_S", 0.0)
    failures = [TimeoutError(), asyncpg.CannotConnectNowError("the database system is starting up")]

    async def write() -> None:
        if failures:
            raise failures.pop(0)

    await app.once_it_responds(write)
    assert not failures


@pytest.mark.parametrize(
    ("error", "within_s"),
    [
        (ProgrammingError("SELECT", {}, Exception("no such table")), 30.0),
        (TimeoutError(), -1.0),
    ],
)
async def test_a_start_fails_by_what_waiting_does_not_mend(error: Exception, within_s: float) -> None:
    tries = []

    async def write() -> None:
        tries.append(True)
        raise error

    with pytest.raises(type(error)):
        await app.once_it_responds(write, within_s)
    assert len(tries) == 1

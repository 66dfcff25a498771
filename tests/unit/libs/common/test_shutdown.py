"""A service ends even if a component no longer responds."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from libs.common import app, shutdown
from libs.common.bus import Bus, connection
from libs.common.db import Database, engine


async def never() -> None:
    """Wait without end, and swallow being asked to end."""
    while not released.is_set():
        try:
            await released.wait()
        except asyncio.CancelledError:
            continue


released: asyncio.Event


@pytest.fixture(autouse=True)
async def _release() -> Any:
    """What did not end, ends with the test."""
    global released  # noqa: PLW0603
    released = asyncio.Event()
    yield
    released.set()


class Endless:
    """A pool, or a connection, of a server that hangs."""

    async def dispose(self) -> None:
        await never()

    async def close(self) -> None:
        await never()


async def test_a_loop_that_swallows_its_cancellation_does_not_hold_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "END_S", 0)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        begun.set()
        await never()

    async def willing() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with asyncio.timeout(60):
        async with app.running([willing, stubborn], "test"):
            await begun.wait()
        await ended.wait()


async def test_pools_of_a_database_that_hangs_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CLOSE_S", 0)
    database = Database("postgresql://nobody@127.0.0.1:1/nothing", "registry")
    database.writing = cast(Any, Endless())
    async with asyncio.timeout(60):
        await database.close()


async def test_a_connection_to_a_bus_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CLOSE_S", 0)
    bus = Bus("nats://127.0.0.1:1", "registry")
    bus._client = cast(Any, Endless())
    async with asyncio.timeout(60):
        await bus.close()


async def test_what_ends_is_waited_for_and_its_error_is_raised() -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        await shutdown.end_within(60, fails(), "it")

"""What runs beside the requests of a service."""

from __future__ import annotations

import asyncio

import pytest

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

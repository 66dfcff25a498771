"""A caller who waits is told what for: its own requests, or a server that does not respond."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest

from libs.common.db.shares import Shares
from libs.common.observability import caller
from libs.common.problem import TooManyRequests

STANDS_STILL = 0.0  # a clock by which every answer has just come


@pytest.fixture(autouse=True)
def one_caller() -> Iterator[None]:
    token = caller.set(uuid4())
    yield
    caller.reset(token)


async def wait_behind_a_request(shares: Shares) -> None:
    until = asyncio.Event()

    async def hold() -> None:
        async with shares.one():
            await until.wait()

    holder = asyncio.create_task(hold())
    await asyncio.sleep(0)
    try:
        async with shares.one():
            pass
    finally:
        until.set()
        await holder


async def test_behind_a_request_that_the_server_does_not_answer_it_is_a_time_out() -> None:
    with pytest.raises(TimeoutError):
        await wait_behind_a_request(Shares(1, patience_s=0.05))


async def test_behind_requests_that_are_answered_it_is_refused() -> None:
    with pytest.raises(TooManyRequests, match="send fewer at once"):
        await wait_behind_a_request(Shares(1, patience_s=0.05, clock=lambda: STANDS_STILL))

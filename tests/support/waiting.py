"""Waiting for a condition: the only place where tests sleep or measure time.

A test that waits for something repeats its question, and fails only after a time that no busy machine needs:

    async for _ in attempts():
        if (await registry.get("/copies")).json()["count"]:
            return
    raise AssertionError("no copy")
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

PATIENCE_S = 240.0  # a limit for what never happens, and no claim that anything is fast
PAUSE_S = 0.05


class Attempts:
    """Pauses between the attempts of an `async for`, until there is no hope left."""

    def __init__(self) -> None:
        self._until: float | None = None

    def __aiter__(self) -> Attempts:
        return self

    async def __anext__(self) -> None:
        if self._until is None:
            self._until = time.monotonic() + PATIENCE_S
            return
        if time.monotonic() > self._until:
            raise StopAsyncIteration
        await asyncio.sleep(PAUSE_S)


def attempts() -> Attempts:
    """Attempts in a coroutine: `async for _ in attempts()`."""
    return Attempts()


def blocking_attempts() -> Iterator[None]:
    """Attempts in a function that no event loop runs: `for _ in blocking_attempts()`."""
    until = time.monotonic() + PATIENCE_S
    while True:
        yield
        if time.monotonic() > until:
            return
        time.sleep(PAUSE_S)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until it holds."""
    for _ in blocking_attempts():
        if condition():
            return
    raise AssertionError("the condition never held")


async def let_time_pass(seconds: float) -> None:
    """Wait until what expires after that time has expired; never in the hope that something has happened by then."""
    await asyncio.sleep(seconds)

"""Shutdown with time limits: a component that does not respond cannot keep a service from ending."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from libs.common.observability import logger

CLOSE_S: Final = 10.0  # for each pool and connection; a server that answers takes milliseconds
END_S: Final = 30.0  # for loops that finish what they have begun


async def end_within(seconds: float, work: Coroutine[Any, Any, object], what: str) -> None:
    """Wait for `work`, but only so long; also where it swallows its cancellation. Raises what it raises."""
    task = asyncio.create_task(work)
    try:
        _, left = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not left:
        task.result()
        return
    task.cancel()
    logger("app").error("a component does not close and is abandoned", what=what, after_s=seconds)


async def cancel_all(tasks: set[asyncio.Task[Any]], seconds: float) -> None:
    """Cancel tasks and wait for their end, but only so long; repeatedly, as a library may swallow a cancellation."""
    loop = asyncio.get_running_loop()
    left, until = tasks, loop.time() + seconds
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=min(1.0, seconds))
        if left and loop.time() >= until:
            names = sorted(task.get_name() for task in left)
            logger("app").error("background loops do not end and are abandoned", loops=names, after_s=seconds)
            return

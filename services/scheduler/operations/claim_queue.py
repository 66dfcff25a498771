"""Claims that wait for a job: parked first, then tried, and woken when a job becomes ready."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from libs.common.bus import Bus
from libs.common.db import Transaction

WAKE_SUBJECT: Final = "jobs.ready"
RETRY_EVERY_S: Final = 5.0  # also without a wake-up: a rest after a failure ends by time alone
WAKE_OTHERS_AFTER_S: Final = 0.05  # one message for all commits of this time
T = TypeVar("T")


class ClaimQueue:
    """The waiting claims of one process."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._woken = asyncio.Event()
        self._waking_others: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Let every claim that waits in this process retry: a job may be ready."""
        self._woken.set()
        self._woken = asyncio.Event()

    def wake_after_commit(self, tx: Transaction) -> None:
        """Wake the claims once the transaction, which made a job ready, has committed."""
        tx.after_commit("wake claims", self._wake_soon)

    def _wake_soon(self) -> None:
        """Wake the claims of this process now, and those of all others at most every 50 ms."""
        self.wake()
        if self._waking_others is None or self._waking_others.done():
            self._waking_others = asyncio.get_running_loop().create_task(self._wake_others())

    async def _wake_others(self) -> None:
        await asyncio.sleep(WAKE_OTHERS_AFTER_S)
        await self._bus.wake(WAKE_SUBJECT)

    async def listen(self) -> None:
        """Receive the wake-ups of other processes."""

        async def on_message(_data: bytes) -> None:
            self.wake()

        await self._bus.on_wake(WAKE_SUBJECT, on_message)

    async def wait_for(
        self,
        attempt: Callable[[], Awaitable[T | None]],
        wait_s: float,
        is_disconnected: Callable[[], Awaitable[bool]],
    ) -> T | None:
        """The first result of `attempt` that is not None; None after `wait_s`, or when the caller disconnected."""
        until = asyncio.get_running_loop().time() + wait_s
        while True:
            parked = asyncio.ensure_future(self._woken.wait())
            try:
                if await is_disconnected():
                    return None
                if (result := await attempt()) is not None:
                    return result
                left = until - asyncio.get_running_loop().time()
                if left <= 0:
                    return None
                await asyncio.wait({parked}, timeout=min(left, RETRY_EVERY_S))
            finally:
                parked.cancel()

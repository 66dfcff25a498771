"""Where workers wait for work: parked first, looked for second, woken when something becomes ready."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from libs.common.bus import Bus
from libs.common.db import Transaction
from services.scheduler import queries

READY: Final = "jobs.ready"
LOOK_EVERY_S: Final = 5.0  # also without a ring: a rest after a failure ends by time alone
T = TypeVar("T")


class Desk:
    """The parked claims of one process."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._round = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Something may be ready: everybody who is parked looks again."""
        self._round.set()
        self._round = asyncio.Event()

    def committed(self, tx: Transaction) -> None:
        """Ring for a commit that made a job ready. Others, as a look that found nothing, would wake for ever."""
        if queries.made_ready(tx.session):
            self._ring_soon()

    def _ring_soon(self) -> None:
        """Ring here, and at most every 50 ms in all other processes."""
        self.ring()
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        await asyncio.sleep(0.05)
        await self._bus.wake(READY)

    async def ring_everywhere(self) -> None:
        """The same in all processes of this service."""
        self.ring()
        await self._bus.wake(READY)

    async def listen(self) -> None:
        """Hear the rings of other processes."""

        async def heard(_data: bytes) -> None:
            self.ring()

        await self._bus.on_wake(READY, heard)

    async def wait_for(
        self,
        look: Callable[[], Awaitable[T | None]],
        wait_s: float,
        hung_up: Callable[[], Awaitable[bool]],
    ) -> T | None:
        """What `look` finds, as soon as it finds something; None after `wait_s`, or when the caller hung up."""
        until = asyncio.get_running_loop().time() + wait_s
        while True:
            parked = self._round.wait()
            waiting = asyncio.ensure_future(parked)
            try:
                if await hung_up():
                    return None
                if (found := await look()) is not None:
                    return found
                left = until - asyncio.get_running_loop().time()
                if left <= 0:
                    return None
                await asyncio.wait({waiting}, timeout=min(left, LOOK_EVERY_S))
            finally:
                waiting.cancel()

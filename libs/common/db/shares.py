"""How much of a pool one caller may use at once: who sends most requests waits, and does not make others wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from libs.common.observability import caller
from libs.common.problem import TooManyRequests

MOST_WAITING: Final = 100  # requests of one caller in front of one service's pool
PATIENCE_S: Final = 20.0  # as long as two statements may take


@dataclass
class _Share:
    free: asyncio.Semaphore
    users: int = 0
    unanswered: bool = False  # whether the last who held a part got no answer from the server in time


class Shares:
    """One caller's part of a pool. Background work and callers without an account have no share and no limit."""

    def __init__(
        self,
        most: int,
        *,
        of: str = "connections",
        most_waiting: int = MOST_WAITING,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.most = most
        self.of = of
        self.most_waiting = most_waiting
        self.patience_s = patience_s
        self._shares: dict[UUID, _Share] = {}

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold one part of the present caller's share, or wait for it.

        Raises TooManyRequests, or TimeoutError where those in front wait for a server that does not respond.
        """
        user_id = caller.get()
        if user_id is None:
            yield
            return
        share = self._shares.setdefault(user_id, _Share(asyncio.Semaphore(self.most)))
        if share.users >= self.most + self.most_waiting:
            raise self._refusal(f"{share.users} of your requests are already waiting here")
        share.users += 1
        try:
            await self._acquire(share)
            try:
                yield
                share.unanswered = False
            except OSError:  # a time-out is one too
                share.unanswered = True
                raise
            except Exception:
                share.unanswered = False
                raise
            finally:
                share.free.release()
        finally:
            share.users -= 1
            if not share.users:
                del self._shares[user_id]

    async def _acquire(self, share: _Share) -> None:
        try:
            async with asyncio.timeout(self.patience_s):
                await share.free.acquire()
        except TimeoutError:
            if share.unanswered:
                raise
            raise self._refusal(f"{self.most} other requests of yours are still in progress") from None

    def _refusal(self, reason: str) -> TooManyRequests:
        return TooManyRequests(
            f"One account can use only a few {self.of} at a time, and {reason}: send fewer at once.",
            headers={"Retry-After": "5"},
        )

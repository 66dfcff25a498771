"""Where bytes come in: the store and the database of one process.

Bytes may take minutes and there are few connections, so no transaction is open while bytes are on their way: these
operations make their own short ones, after the bytes are safe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from libs.common.db import Database
from libs.common.db.shares import Shares
from libs.common.db.transaction import Writer
from libs.common.observability import logger
from libs.common.problem import Problem
from libs.common.storage import ObjectMissing, Store

BUNDLES_AT_ONCE = 4  # of one caller: each holds some 40 MiB of memory while its bytes come


@dataclass
class Dock:
    """`kind`: the `store` of the repositories of these bytes; `within_s`: how long a full read is waited for."""

    writer: Writer
    database: Database
    store: Store
    kind: str
    within_s: float
    bundles: Shares = field(default_factory=lambda: Shares(BUNDLES_AT_ONCE, of="bundles"))
    _readings: dict[tuple[UUID, str], asyncio.Task[Any]] = field(default_factory=dict)

    async def holds(self, sha256: str) -> bool:
        """Whether the object is there; ask under the lock of its hash."""
        try:
            await self.store.stat(sha256)
        except ObjectMissing:
            return False
        return True

    async def once(self, what: tuple[UUID, str], work: Callable[[], Awaitable[None]]) -> bool:
        """Do a long piece of work once, however often it is asked for; whether it is done by now.

        It goes on when the caller hangs up. Raises what the work raised.
        """
        task = self._readings.get(what)
        if task is None:
            task = asyncio.ensure_future(work())
            self._readings[what] = task
            task.add_done_callback(lambda done: self._ended(what, done))
        done, _ = await asyncio.wait({task}, timeout=self.within_s)
        if done:
            task.result()
        return bool(done)

    def _ended(self, what: tuple[UUID, str], task: asyncio.Future[Any]) -> None:
        self._readings.pop(what, None)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, Problem):
            logger("dock").error("a full read failed", upload_id=str(what[0]), exc_info=error)

    async def close(self) -> None:
        """End what is being read (it starts again when asked again) and give the store's threads back."""
        tasks = list(self._readings.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.store.close()

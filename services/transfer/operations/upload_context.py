"""What receiving bytes needs: the store and the database of one process.

Bytes may take minutes and there are few connections, so no transaction is open while bytes arrive: these operations
begin their own short ones, after the bytes are safe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cingulum.stores import StoreKind
from libs.common.db import Database
from libs.common.db.shares import Shares
from libs.common.db.transaction import Writer
from libs.common.observability import logger
from libs.common.problem import Problem
from libs.common.storage import ObjectMissing, Store

BUNDLES_AT_ONCE = 4  # per caller: each holds some 40 MiB of memory while its bytes arrive


@dataclass
class UploadContext:
    """`store_kind`: the `store` of the repositories of these bytes; `wait_s`: how long a full read is waited for."""

    writer: Writer
    database: Database
    store: Store
    store_kind: StoreKind
    wait_s: float
    bundles: Shares = field(default_factory=lambda: Shares(BUNDLES_AT_ONCE, of="bundles"))
    _reads: dict[tuple[UUID, str], asyncio.Task[Any]] = field(default_factory=dict)

    async def has_object(self, sha256: str) -> bool:
        """Whether the object exists; call it while the hash is locked."""
        try:
            await self.store.stat(sha256)
        except ObjectMissing:
            return False
        return True

    async def run_once(self, key: tuple[UUID, str], work: Callable[[], Awaitable[None]]) -> bool:
        """Run long work once, however often it is requested; whether it is done within `wait_s`.

        It continues when the caller disconnects. Raises what the work raised.
        """
        task = self._reads.get(key)
        if task is None:
            task = asyncio.ensure_future(work())
            self._reads[key] = task
            task.add_done_callback(lambda done: self._on_done(key, done))
        done, _ = await asyncio.wait({task}, timeout=self.wait_s)
        if done:
            task.result()
        return bool(done)

    def _on_done(self, key: tuple[UUID, str], task: asyncio.Future[Any]) -> None:
        self._reads.pop(key, None)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, Problem):
            logger("uploads").error("full read failed", upload_id=str(key[0]), exc_info=error)

    async def close(self) -> None:
        """Cancel running reads (the next request restarts them) and close the store."""
        tasks = list(self._reads.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.store.close()

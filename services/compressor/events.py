"""Handlers of the events that compressor receives."""

from __future__ import annotations

from collections.abc import Callable

from libs.common.bus import EventHandlers
from libs.common.db import Transaction
from libs.common.events import CopyVerified, DatasetsMoved, JobCompleted
from services.compressor.operations.recordings import request_indexing, update_sessions


def handlers_with(wake_indexer: Callable[[], None]) -> EventHandlers:
    """The handlers; `wake_indexer` is called once wanted recordings are committed."""
    handlers = EventHandlers()

    @handlers.on(JobCompleted)
    async def job_completed(tx: Transaction, event: JobCompleted) -> None:
        """The job's output may be a compressed recording."""
        await request_indexing(tx, event.dataset_ids, wake_indexer)

    @handlers.on(CopyVerified)
    async def copy_verified(tx: Transaction, event: CopyVerified) -> None:
        """A .cbin, its .ch or its .meta may have become readable."""
        await request_indexing(tx, [event.dataset_id], wake_indexer)

    @handlers.on(DatasetsMoved)
    async def datasets_moved(tx: Transaction, event: DatasetsMoved) -> None:
        """Recordings are of the sessions that their datasets have now."""
        await update_sessions(tx, event.dataset_ids)

    return handlers

"""Event handlers of compressor."""

from __future__ import annotations

from collections.abc import Callable

from libs.common.bus import Hears
from libs.common.db import Transaction
from libs.common.events import CopyVerified, JobCompleted
from services.compressor.operations.recordings import want_recordings_of


def hears_with(wake_indexer: Callable[[], None]) -> Hears:
    """The handlers; `wake_indexer` is called once wanted recordings are committed."""
    hears = Hears()

    @hears.on(JobCompleted)
    async def job_completed(tx: Transaction, event: JobCompleted) -> None:
        """The job's output may be a compressed recording."""
        await want_recordings_of(tx, event.dataset_ids, wake_indexer)

    @hears.on(CopyVerified)
    async def copy_verified(tx: Transaction, event: CopyVerified) -> None:
        """A .cbin, its .ch or its .meta may have become readable."""
        await want_recordings_of(tx, [event.dataset_id], wake_indexer)

    return hears

"""Handlers of the events that compressor receives."""

from __future__ import annotations

from libs.common.bus import EventHandlers
from libs.common.db import Transaction
from libs.common.events import CopyVerified, JobCompleted
from services.compressor import queries

handlers = EventHandlers()


@handlers.on(JobCompleted)
async def job_completed(tx: Transaction, event: JobCompleted) -> None:
    """What a job made may be a compressed recording."""
    await queries.want_beside(tx.session, event.dataset_ids)


@handlers.on(CopyVerified)
async def copy_verified(tx: Transaction, event: CopyVerified) -> None:
    """A .cbin, its .ch or its .meta may have become readable."""
    await queries.want_beside(tx.session, [event.dataset_id])

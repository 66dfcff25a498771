"""What compressor hears."""

from __future__ import annotations

from libs.common.bus import Hears
from libs.common.db import Transaction
from libs.common.events import CopyVerified, JobCompleted
from services.compressor import queries

hears = Hears()


@hears.on(JobCompleted)
async def job_completed(tx: Transaction, event: JobCompleted) -> None:
    """What a job made may be a compressed recording."""
    await queries.want_beside(tx.session, event.dataset_ids)


@hears.on(CopyVerified)
async def copy_verified(tx: Transaction, event: CopyVerified) -> None:
    """A .cbin, its .ch or its .meta may have become readable."""
    await queries.want_beside(tx.session, [event.dataset_id])

"""Handlers of the events that scheduler receives."""

from __future__ import annotations

from libs.common.bus import EventHandlers
from libs.common.db import Transaction
from libs.common.events import CopyVerified, FilesRegistered, OutputsRefused, OutputsRegistered
from services.scheduler.operations import running
from services.scheduler.operations.graph import concerns_a_task, look_at
from services.scheduler.queries import ready

handlers = EventHandlers()


@handlers.on(FilesRegistered)
async def files_registered(tx: Transaction, event: FilesRegistered) -> None:
    """There are new datasets, or new versions of them."""
    if event.session_id is not None:
        await look_at(tx, event.session_id)


@handlers.on(CopyVerified)
async def copy_verified(tx: Transaction, event: CopyVerified) -> None:
    """An input may be ready now, or ready at one more site: workers that wait look again once this is committed."""
    if event.session_id is not None and await concerns_a_task(tx, event.dataset_id):
        await look_at(tx, event.session_id)
        await ready.end_rests(tx.session, event.session_id)


@handlers.on(OutputsRegistered)
async def outputs_registered(tx: Transaction, event: OutputsRegistered) -> None:
    """A job's outputs can be read."""
    await running.published(tx, event.job_id, event.token, event.dataset_ids)


@handlers.on(OutputsRefused)
async def outputs_refused(tx: Transaction, event: OutputsRefused) -> None:
    """A job's outputs cannot be registered."""
    await running.refused(tx, event.job_id, event.token, event.reason)

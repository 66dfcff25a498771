"""Handlers of the events that registry receives."""

from __future__ import annotations

from libs.common.bus import EventHandlers
from libs.common.db import Transaction
from libs.common.events import JobPublishing, ObjectDamaged, UploadCompleted
from services.registry.operations import proofs, publication
from services.registry.operations.proofs import Shelf


def handlers_with(shelf: Shelf) -> EventHandlers:
    """The handlers, around the central store."""
    handlers = EventHandlers()

    @handlers.on(UploadCompleted)
    async def upload_completed(tx: Transaction, event: UploadCompleted) -> None:
        """Bytes of a copy were read whole."""
        await proofs.upload_completed(tx, shelf, event)

    @handlers.on(ObjectDamaged)
    async def object_damaged(tx: Transaction, event: ObjectDamaged) -> None:
        """Copies that were proved by an object cannot be counted on."""
        await proofs.object_damaged(tx, event)

    @handlers.on(JobPublishing)
    async def job_publishing(tx: Transaction, event: JobPublishing) -> None:
        """A job's outputs wait to be registered."""
        await publication.job_publishing(tx, shelf, event)

    return handlers

"""What registry hears."""

from __future__ import annotations

from libs.common.bus import Hears
from libs.common.db import Transaction
from libs.common.events import JobPublishing, ObjectDamaged, UploadCompleted
from services.registry.operations import proofs, publication
from services.registry.operations.proofs import Shelf


def hears_with(shelf: Shelf) -> Hears:
    """The handlers, around the central store."""
    hears = Hears()

    @hears.on(UploadCompleted)
    async def upload_completed(tx: Transaction, event: UploadCompleted) -> None:
        """Bytes of a copy were read whole."""
        await proofs.upload_completed(tx, shelf, event)

    @hears.on(ObjectDamaged)
    async def object_damaged(tx: Transaction, event: ObjectDamaged) -> None:
        """Copies that were proved by an object cannot be counted on."""
        await proofs.object_damaged(tx, event)

    @hears.on(JobPublishing)
    async def job_publishing(tx: Transaction, event: JobPublishing) -> None:
        """A job's outputs wait to be registered."""
        await publication.job_publishing(tx, shelf, event)

    return hears

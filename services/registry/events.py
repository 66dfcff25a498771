"""Handlers of events."""

from __future__ import annotations

from libs.common.bus import EventHandlers
from libs.common.db import Transaction
from libs.common.events import JobPublishing, ObjectDamaged, SessionsMerged, SessionsUnmerged, UploadCompleted
from services.registry.operations import proofs, publications, session_merges
from services.registry.operations.central_store import CentralStore


def handlers_with(central: CentralStore, *, creates_types: bool) -> EventHandlers:
    """The handlers, with the central store; `creates_types`: a file may get a dataset type that is not there yet."""
    handlers = EventHandlers()

    @handlers.on(UploadCompleted)
    async def upload_completed(tx: Transaction, event: UploadCompleted) -> None:
        """An upload of a copy was read in full."""
        await proofs.upload_completed(tx, central, event)

    @handlers.on(ObjectDamaged)
    async def object_damaged(tx: Transaction, event: ObjectDamaged) -> None:
        """Copies of a damaged object become suspect."""
        await proofs.object_damaged(tx, event)

    @handlers.on(JobPublishing)
    async def job_publishing(tx: Transaction, event: JobPublishing) -> None:
        """The outputs of a job are to be registered."""
        await publications.job_publishing(tx, central, event, creates_types=creates_types)

    @handlers.on(SessionsMerged)
    async def sessions_merged(tx: Transaction, event: SessionsMerged) -> None:
        """Their datasets are those of the session that stays."""
        await session_merges.move_merged_datasets(tx, event.merge_id)

    @handlers.on(SessionsUnmerged)
    async def sessions_unmerged(tx: Transaction, event: SessionsUnmerged) -> None:
        """Their datasets are theirs again."""
        await session_merges.move_datasets_back(tx, event)

    return handlers

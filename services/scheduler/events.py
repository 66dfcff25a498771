"""Handlers of the events that scheduler receives."""

from __future__ import annotations

from libs.common.bus import EventHandlers
from libs.common.db import Transaction
from libs.common.events import (
    CopyVerified,
    FilesRegistered,
    OutputsRefused,
    OutputsRegistered,
    SessionsDeleted,
    SessionsRestored,
)
from services.scheduler.operations import attempts, graph, jobs
from services.scheduler.operations.context import SchedulerContext


def handlers(context: SchedulerContext) -> EventHandlers:
    """The handlers of one process."""
    registered = EventHandlers()

    @registered.on(FilesRegistered)
    async def files_registered(tx: Transaction, event: FilesRegistered) -> None:
        """There are new datasets, or new versions of them."""
        if event.session_id is not None:
            await graph.reconcile_session(tx, context, event.session_id)

    @registered.on(CopyVerified)
    async def copy_verified(tx: Transaction, event: CopyVerified) -> None:
        """An input may be ready now, or ready at one more site."""
        if event.session_id is not None:
            await graph.handle_verified_copy(tx, context, event.session_id, event.dataset_id)

    @registered.on(SessionsDeleted)
    async def sessions_deleted(tx: Transaction, event: SessionsDeleted) -> None:
        """Their jobs are ready nowhere, and workers that have one stop."""
        for session_id in sorted(event.session_ids):
            await jobs.stop_jobs_of_session(tx, context, session_id)

    @registered.on(SessionsRestored)
    async def sessions_restored(tx: Transaction, event: SessionsRestored) -> None:
        """Their jobs continue where their inputs are."""
        for session_id in sorted(event.session_ids):
            await graph.reconcile_session(tx, context, session_id)

    @registered.on(OutputsRegistered)
    async def outputs_registered(tx: Transaction, event: OutputsRegistered) -> None:
        """A job's outputs can be read."""
        await attempts.publish_outputs(tx, context, event.job_id, event.token, event.dataset_ids)

    @registered.on(OutputsRefused)
    async def outputs_refused(tx: Transaction, event: OutputsRefused) -> None:
        """A job's outputs cannot be registered."""
        await attempts.refuse_outputs(tx, context, event.job_id, event.token, event.reason)

    return registered

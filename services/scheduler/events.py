"""Handlers of the events that scheduler receives."""

from __future__ import annotations

from libs.common.bus import EventHandlers
from libs.common.db import Transaction
from libs.common.events import (
    CopyVerified,
    DatasetsMoved,
    FilesRegistered,
    OutputsRefused,
    OutputsRegistered,
    SessionsDeleted,
    SessionsMerged,
    SessionsRestored,
    SessionsUnmerged,
)
from services.scheduler.operations import attempts, graph, jobs, session_merges
from services.scheduler.operations.context import SchedulerContext


def handlers(context: SchedulerContext) -> EventHandlers:
    """The handlers of one process."""
    registered = EventHandlers()

    @registered.on(FilesRegistered)
    async def files_registered(tx: Transaction, event: FilesRegistered) -> None:
        """There are new datasets, or new versions of them."""
        if event.session_id is None:
            return
        if event.only_added and event.dataset_ids:
            await graph.handle_added_files(tx, context, event.session_id, event.dataset_ids)
        else:
            await graph.reconcile_session(tx, context, event.session_id)

    @registered.on(CopyVerified)
    async def copy_verified(tx: Transaction, event: CopyVerified) -> None:
        """An input may be ready now, or ready at one more site."""
        if event.session_id is not None:
            await graph.handle_verified_copy(tx, context, event.session_id, event.dataset_id)

    @registered.on(DatasetsMoved)
    async def datasets_moved(tx: Transaction, event: DatasetsMoved) -> None:
        """Sessions have other datasets."""
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

    _add_handlers_of_sessions(registered, context)
    return registered


def _add_handlers_of_sessions(registered: EventHandlers, context: SchedulerContext) -> None:
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

    @registered.on(SessionsMerged)
    async def sessions_merged(tx: Transaction, event: SessionsMerged) -> None:
        """Their jobs are those of the session that stays."""
        await session_merges.move_merged_jobs(tx, context, event.merge_id)

    @registered.on(SessionsUnmerged)
    async def sessions_unmerged(tx: Transaction, event: SessionsUnmerged) -> None:
        """Their jobs are theirs again."""
        await session_merges.move_jobs_back(tx, context, event)

"""Tasks and jobs of merged sessions move to the session that stays, and back where the merge is undone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from cingulum.worker.pipelines.matching import TaskScope
from libs.common.db import Transaction
from libs.common.db.moving import fetch_moved_sessions, move_back, move_rows
from libs.common.events import SessionsUnmerged
from libs.common.merges import fetch_merges, lock_merges, sessions_of
from services.scheduler.domain.moves import moved_key
from services.scheduler.operations.context import SchedulerContext
from services.scheduler.operations.graph import reconcile_session
from services.scheduler.operations.jobs import stop_jobs_of_session
from services.scheduler.operations.pipeline import Pipeline
from services.scheduler.queries import session_merges as queries
from services.scheduler.queries.jobs import lock_derived_jobs, lock_graph


async def move_merged_jobs(tx: Transaction, context: SchedulerContext, merge_id: UUID) -> None:
    """Move the jobs of merged sessions with their attempts and logs, unless the merge was undone.

    One whose slot the other session has stays, and is stopped.
    """
    await lock_merges(tx)
    merges = await fetch_merges(tx.session, merge_id)
    session_ids = sessions_of(merges)
    await _lock_graphs(tx, session_ids)
    for merge in merges:
        for session_id in merge.session_ids:
            moved = await move_rows(tx, merge.id, queries.JOBS, [session_id], merge.into)
            await _update_keys(tx, context.pipeline, moved, session_id, merge.into)
    for session_id in session_ids:
        await _relink_parents(tx, context.pipeline, session_id)
        await stop_jobs_of_session(tx, context, session_id)


async def move_jobs_back(tx: Transaction, context: SchedulerContext, event: SessionsUnmerged) -> None:
    """Move back the jobs that a merge moved, where they still are.

    The session that stays may have the datasets for a moment longer: `DatasetsMoved` reconciles it.
    """
    await lock_merges(tx)
    now = await fetch_moved_sessions(tx, event.merge_id, queries.JOBS)
    session_ids = sorted({*event.session_ids, event.into, *now})
    await _lock_graphs(tx, session_ids)
    for row in await move_back(tx, event.merge_id, queries.JOBS):
        await _update_keys(tx, context.pipeline, [row.id], row.left_id, row.session_id)
    for session_id in session_ids:
        await _relink_parents(tx, context.pipeline, session_id)
    for session_id in sorted(event.session_ids):
        await reconcile_session(tx, context, session_id)


async def _lock_graphs(tx: Transaction, session_ids: Iterable[UUID]) -> None:
    for session_id in session_ids:
        await lock_graph(tx.session, session_id)


async def _update_keys(
    tx: Transaction, pipeline: Pipeline, job_ids: Sequence[UUID], before: UUID, after: UUID
) -> None:
    """The same work on the same inputs is known as done in the other session."""
    for row in await queries.lock_moved_jobs(tx.session, job_ids):
        task = pipeline.tasks.get(row.task)
        if task is not None:
            inputs = [(file.relative_path, file.sha256) for file in row.inputs]
            old, new = TaskScope(str(before), row.probe), TaskScope(str(after), row.probe)
            row.key = moved_key(row.key, task, old, new, inputs)


async def _relink_parents(tx: Transaction, pipeline: Pipeline, session_id: UUID) -> None:
    """The parents of derived jobs are those of the same session."""
    rows = await lock_derived_jobs(tx.session, session_id)
    for row in rows:
        if row.task in pipeline.tasks:
            makers = pipeline.parents_of(row.task)
            row.parents = [other.id for other in rows if other.task in makers]

"""The job graph of a session: derived from all its facts each time, and its jobs brought in line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from cingulum.worker.pipelines.matching import TaskScope
from libs.common.db import Transaction
from libs.common.db.clock import fetch_now
from libs.common.schemas.job_files import JobInput
from libs.common.schemas.states import JobState
from services.scheduler.domain.graph import JobFact, Slot, SlotPlan, derive
from services.scheduler.domain.steering import place, reconcile
from services.scheduler.models import JobRow
from services.scheduler.operations.context import SchedulerContext
from services.scheduler.operations.pipeline import Pipeline
from services.scheduler.queries import inputs, jobs, ready
from services.scheduler.queries.tasks import fetch_slots_of_tasks


async def handle_verified_copy(
    tx: Transaction, context: SchedulerContext, session_id: UUID, dataset_id: UUID
) -> None:
    """An input may be ready now, or ready at one more site."""
    if await _concerns_tasks(tx, context, [dataset_id]):
        await reconcile_session(tx, context, session_id)
        await ready.delete_pauses(tx.session, session_id)


async def handle_added_files(
    tx: Transaction, context: SchedulerContext, session_id: UUID, dataset_ids: Sequence[UUID]
) -> None:
    """There are new datasets, or new versions of them."""
    if await _concerns_tasks(tx, context, dataset_ids):
        await reconcile_session(tx, context, session_id)


async def _concerns_tasks(tx: Transaction, context: SchedulerContext, dataset_ids: Sequence[UUID]) -> bool:
    names = await inputs.fetch_dataset_names(tx.session, dataset_ids)
    return any(context.pipeline.concerns(collection, name) for collection, name in names)


async def reconcile_session(tx: Transaction, context: SchedulerContext, session_id: UUID) -> None:
    """Bring the jobs of a session in line with its facts, and wake claims after the commit if one is ready."""
    await jobs.lock_graph(tx.session, session_id)
    rows = {slot_of(row): row for row in await jobs.lock_derived_jobs(tx.session, session_id)}
    facts = (await inputs.fetch_dataset_facts(tx.session, [session_id])).get(session_id, [])
    dataset_ids = {fact.path: dataset_id for dataset_id, fact in facts}
    plans = derive(
        str(session_id),
        list(context.pipeline.tasks.values()),
        [fact for _, fact in facts],
        {slot: JobFact(JobState(row.state), row.key) for slot, row in rows.items()},
    )
    now = await fetch_now(tx.session)
    occupied = (await fetch_slots_of_tasks(tx.session, [session_id])).get(session_id, set())
    for slot, plan in plans.items():
        is_new = slot not in rows
        if is_new and (slot.task, slot.scope.probe) in occupied:
            continue  # the creator of this task runs it, or deletes it and leaves the slot to us
        if is_new:
            rows[slot] = await _create_job(tx, context.pipeline, rows, slot, session_id)
        row = rows[slot]
        before = jobs.job_value(row)
        change = reconcile(before, plan)
        if change.job.state is JobState.WAITING:
            # Changed or not: claims have skipped the job while its row was locked.
            context.claim_queue.wake_after_commit(tx)
        if is_new or change.job != before:
            row.inputs = [
                JobInput(relative_path=path, dataset_id=dataset_ids[path], sha256=sha256)
                for path, sha256 in plan.inputs
            ]
            await jobs.update_job(tx.session, row, change, now)
    await _update_sites(tx, rows, plans)


async def _create_job(
    tx: Transaction, pipeline: Pipeline, rows: Mapping[Slot, JobRow], slot: Slot, session_id: UUID
) -> JobRow:
    row = _new_row(pipeline, slot, session_id)
    makers = pipeline.parents_of(slot.task)
    row.parents = [rows[maker].id for maker in rows if maker.task in makers]
    await jobs.insert_job(tx.session, row)
    tx.audit("job.derived", "job", row.id, after={"task": row.task, "session": str(session_id)})
    return row


async def _update_sites(tx: Transaction, rows: Mapping[Slot, JobRow], plans: Mapping[Slot, SlotPlan]) -> None:
    """Store where each waiting job can run now, and which of its inputs are outside the central store."""
    sites: dict[UUID, frozenset[str]] = {}
    for slot, row in rows.items():
        placement = place(JobState(row.state), row.key, plans.get(slot))
        if row.state != JobState.STARTED:  # a started job is ready nowhere, and its pauses go on
            sites[row.id] = placement.sites
        outside = sorted(UUID(repository_id) for repository_id in placement.outside_pool)
        if row.outside_pool != outside or row.are_coming != placement.are_coming:
            row.outside_pool, row.are_coming = outside, placement.are_coming
    await ready.update_sites(tx.session, sites)


def slot_of(row: JobRow) -> Slot:
    """The slot of a job."""
    return Slot(row.task, TaskScope(str(row.session_id), row.probe))


def _new_row(pipeline: Pipeline, slot: Slot, session_id: UUID) -> JobRow:
    task = pipeline.tasks[slot.task]
    return JobRow(
        id=uuid4(),
        task=slot.task,
        session_id=session_id,
        probe=slot.scope.probe,
        is_derived=True,
        state=JobState.HELD.value,
        reason="",
        by_person=False,
        attempts=0,
        outputs=[],
        inputs=[],
        outside_pool=[],
        are_coming=False,
        executable=task.executable,
        graph="standard",
        level=pipeline.level_of(slot.task),
        priority=task.priority,
        cpu=task.cpu,
        ram=task.ram,
        time_out_secs=task.time_out_s,
        version=task.code_version,
    )

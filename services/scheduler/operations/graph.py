"""Which jobs a session has: looked at anew each time, from all its facts."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

from cingulum.worker.pipelines.matching import TaskScope
from libs.common.db import Transaction
from libs.common.schemas.states import JobState
from services.scheduler import queries
from services.scheduler.domain.graph import JobFact, Slot, SlotPlan, derive
from services.scheduler.domain.steering import reconcile
from services.scheduler.models import JobRow
from services.scheduler.operations.pipeline import Pipeline, pipeline_of
from services.scheduler.queries import inputs, ready


async def concerns_a_task(tx: Transaction, dataset_id: UUID) -> bool:
    """Whether any task reads or makes this dataset."""
    named = await inputs.name_of_dataset(tx.session, dataset_id)
    return named is not None and pipeline_of(tx).concerns(*named)


async def look_at(tx: Transaction, session_id: UUID) -> bool:
    """Bring the jobs of a session in line with its facts; whether one became ready."""
    await queries.lock_session(tx.session, session_id)
    rows = await queries.jobs_of_session(tx.session, session_id)
    facts = await inputs.dataset_facts(tx.session, session_id)
    ids = {fact.path: dataset_id for dataset_id, fact in facts}
    known = {slot_of(row): row for row in rows}
    jobs = {slot: JobFact(JobState(row.state), row.key) for slot, row in known.items()}
    pipeline = pipeline_of(tx)
    wanted = derive(str(session_id), list(pipeline.tasks.values()), [fact for _, fact in facts], jobs)
    now = await queries.clock(tx.session)
    taken = await queries.slots_of_tasks(tx.session, session_id)
    is_ready = False
    for slot, want in wanted.items():
        row = known.get(slot)
        is_new = row is None
        if is_new and (slot.task, slot.scope.probe) in taken:
            continue  # whoever wrote this task down runs it, or deletes it and leaves the slot to us
        if row is None:
            row = known[slot] = _new(pipeline, slot, session_id)
            makers = pipeline.parents_of(slot.task)
            row.parents = [known[maker].id for maker in known if maker.task in makers]
            tx.session.add(row)
            tx.audit("job.derived", "job", row.id, after={"task": row.task, "session": str(session_id)})
        before = queries.value(row)
        change = reconcile(before, want)
        if change.job.state is JobState.WAITING:
            queries.note_ready(tx.session)  # changed or not: claims have passed it over while it was locked
        if is_new or change.job != before:
            row.inputs = [
                {"path": path, "dataset_id": str(ids[path]), "sha256": sha256} for path, sha256 in want.inputs
            ]
            await queries.write(tx.session, row, change, now)
            is_ready = is_ready or change.job.state is JobState.WAITING
    await _set_sites(tx, known, wanted)
    return is_ready


async def _set_sites(tx: Transaction, rows: Mapping[Slot, JobRow], wanted: Mapping[Slot, SlotPlan]) -> None:
    """Write where each job that waits can run now, and what its inputs outside the central store are."""
    sites: dict[UUID, frozenset[str]] = {}
    for slot, row in rows.items():
        want = wanted.get(slot, SlotPlan(None))
        waits = row.state == JobState.WAITING and want.key == row.key
        if row.state != JobState.STARTED:  # it is ready nowhere, and a rest goes on
            sites[row.id] = want.sites if waits else frozenset()
        outside = sorted(UUID(place) for place in want.outside_pool)
        if row.outside_pool != outside or row.are_coming != want.are_coming:
            row.outside_pool, row.are_coming = outside, want.are_coming
    await tx.session.flush()
    await ready.set_sites(tx.session, sites)


def slot_of(row: JobRow) -> Slot:
    """The slot that a row stands for."""
    return Slot(row.task, TaskScope(str(row.session_id), row.probe))


def _new(pipeline: Pipeline, slot: Slot, session_id: UUID) -> JobRow:
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

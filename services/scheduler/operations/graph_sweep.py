"""The sweep of all job graphs: sessions whose facts changed, of which those are reconciled whose jobs differ."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from libs.common.bus.failures import Cause, cause_of
from libs.common.db import Begin, ReadSession
from libs.common.db.clock import fetch_now
from libs.common.observability import logger
from services.scheduler.domain.graph import DatasetFact, JobFact, derive
from services.scheduler.domain.steering import is_current
from services.scheduler.operations import graph
from services.scheduler.operations.context import SchedulerContext
from services.scheduler.operations.pipeline import Pipeline
from services.scheduler.queries import inputs
from services.scheduler.queries.placed_jobs import PlacedJob, fetch_derived_jobs
from services.scheduler.queries.tasks import fetch_slots_of_tasks

_FIRST: Final = UUID(int=0)
_READY_ROWS_PER_SWEEP: Final = 2_000  # checked in some 20 ms of the database
_LOOK_BACK: Final = timedelta(days=30)  # of the first sweep after a start
_OVERLAP: Final = timedelta(minutes=5)  # a transaction that began before a sweep may commit after it
_AT_ONCE: Final = 500  # sessions whose facts are read together


@dataclass(frozen=True)
class GraphSweep:
    """How far the sweep of all sessions is: what it reads from then on, and the last ready row that was checked.

    `checksums` are of the changes after `since` that were checked already: two sweeps overlap.
    """

    since: datetime | None = None
    cursor: UUID = _FIRST
    checksums: Mapping[UUID, int] = field(default_factory=dict)


async def fetch_sessions_to_reconcile(
    session: ReadSession, context: SchedulerContext, sweep: GraphSweep
) -> tuple[list[UUID], GraphSweep]:
    """Sessions with facts newer than the last sweep and other jobs than these demand; and the next sweep.

    It finds what no event reported. Nearly all facts have been, so most sessions are only read, hundreds at once.
    """
    now = await fetch_now(session)
    following = now - _OVERLAP
    changes = await inputs.fetch_changed_sessions(session, sweep.since or now - _LOOK_BACK, following)
    ids = {each.id for each in changes if each.checksum != sweep.checksums.get(each.id)}
    if sweep.since is None:
        ids |= await inputs.fetch_session_ids_without_sites(session)
    stale, last = await inputs.fetch_stale_session_ids(session, sweep.cursor, _READY_ROWS_PER_SWEEP)
    changed = sorted(ids | stale)
    differing: list[UUID] = []
    for start in range(0, len(changed), _AT_ONCE):
        batch = changed[start : start + _AT_ONCE]
        try:
            differing += await _fetch_differing(session, context.pipeline, batch)
        except Exception as error:
            if cause_of(error) is Cause.TRANSIENT:
                raise
            differing += batch  # each is reconciled by itself, and what is wrong with one of them is logged
    checksums = {each.id: each.later_checksum for each in changes if each.later_checksum}
    return differing, GraphSweep(following, last or _FIRST, checksums)


async def _fetch_differing(
    session: ReadSession, pipeline: Pipeline, session_ids: Sequence[UUID]
) -> list[UUID]:
    """Those of some sessions whose jobs differ from what their facts demand."""
    jobs = await fetch_derived_jobs(session, session_ids)
    names = await inputs.fetch_names_in_sessions(session, session_ids)
    concerned = await asyncio.to_thread(_concerned, pipeline, names)
    derived = [session_id for session_id in session_ids if session_id in jobs or session_id in concerned]
    facts = await inputs.fetch_dataset_facts(session, derived)
    occupied = await fetch_slots_of_tasks(session, derived)

    def differing() -> Iterator[UUID]:
        for session_id in derived:
            of_session = facts.get(session_id, []), jobs.get(session_id, []), occupied.get(session_id, set())
            if _differs(pipeline, session_id, *of_session):
                yield session_id

    return await asyncio.to_thread(lambda: list(differing()))


def _concerned(pipeline: Pipeline, names: Sequence[tuple[str, str, Sequence[UUID]]]) -> set[UUID]:
    """The sessions with a file that a task reads or makes: the others have no slot, unless they have its job."""
    return {
        session_id
        for collection, name, session_ids in names
        if pipeline.concerns(collection, name)
        for session_id in session_ids
    }


def _differs(
    pipeline: Pipeline,
    session_id: UUID,
    facts: Sequence[tuple[UUID, DatasetFact]],
    jobs: Sequence[PlacedJob],
    occupied: set[tuple[str, str]],
) -> bool:
    """Whether `graph.reconcile_session` would change anything."""
    by_slot = {job.slot: job for job in jobs}
    known = {slot: JobFact(job.value.state, job.value.key) for slot, job in by_slot.items()}
    tasks = list(pipeline.tasks.values())
    plans = derive(str(session_id), tasks, [fact for _, fact in facts], known)
    missing = any(slot not in by_slot and (slot.task, slot.scope.probe) not in occupied for slot in plans)
    return missing or not all(
        is_current(job.value, job.placement, plans.get(slot)) for slot, job in by_slot.items()
    )


async def reconcile_sessions(begin: Begin, context: SchedulerContext, session_ids: Sequence[UUID]) -> None:
    """Reconcile each session by itself. One that fails on its own is logged, and does not stop the others."""
    for session_id in session_ids:
        try:
            async with begin() as tx:
                await graph.reconcile_session(tx, context, session_id)
        except Exception as error:
            if cause_of(error) is Cause.TRANSIENT:
                raise
            logger("scheduler").error(
                "a session could not be reconciled", session=str(session_id), exc_info=error
            )

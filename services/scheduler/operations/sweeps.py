"""Deadlines that passed: leases of workers and of legacy runners, and notices to registry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from libs.common.bus.failures import Cause, cause_of
from libs.common.db import Transaction
from libs.common.db.clock import fetch_now
from libs.common.observability import logger
from libs.common.schemas.states import JobState
from services.scheduler.domain import running
from services.scheduler.domain.facts import JobChange, JobValue
from services.scheduler.domain.retry import Liveness
from services.scheduler.domain.steering import LEGACY_RUNNER
from services.scheduler.operations.context import SchedulerContext
from services.scheduler.operations.jobs import save_change
from services.scheduler.queries import jobs
from services.scheduler.queries.workers import find_last_heartbeat

Rule = Callable[[JobValue, datetime], JobChange]


async def sweep_leases(tx: Transaction, context: SchedulerContext, liveness: Liveness) -> Liveness:
    """Expire the leases of workers that are gone, but of none while heartbeats cannot arrive (`Liveness`)."""
    now = await fetch_now(tx.session)
    liveness = liveness.sampled(await find_last_heartbeat(tx.session), now)
    await expire_legacy_leases(tx, context)
    if (expired_by := liveness.expired_by(now)) is not None:
        await expire_leases(tx, context, expired_by)
    return liveness


async def expire_leases(
    tx: Transaction, context: SchedulerContext, expired_by: datetime | None = None
) -> int:
    """Take back jobs whose lease expired by that time, or by now; how many."""
    return await _apply_to_overdue(tx, context, JobState.STARTED, running.expire, expired_by)


async def expire_legacy_leases(tx: Transaction, context: SchedulerContext) -> int:
    """Take back jobs of legacy runners, which send no heartbeat: their time ends by the clock alone; how many."""
    return await _apply_to_overdue(tx, context, JobState.STARTED, running.expire, worker=LEGACY_RUNNER)


async def notify_registry_again(tx: Transaction, context: SchedulerContext) -> int:
    """Notify registry again of jobs that have been Publishing for too long; how many."""
    return await _apply_to_overdue(tx, context, JobState.PUBLISHING, running.notify_registry_again)


async def _apply_to_overdue(
    tx: Transaction,
    context: SchedulerContext,
    state: JobState,
    rule: Rule,
    expired_by: datetime | None = None,
    worker: str | None = None,
) -> int:
    """Apply a rule to the jobs whose deadline passed by then, or by now; how many it changed.

    Another process may have changed some of them first. A job that fails on its own is logged, and does not stop the
    others.
    """
    now = await fetch_now(tx.session)
    n_changed = 0
    for job_id in await jobs.fetch_overdue_job_ids(tx.session, state, expired_by or now, worker):
        try:
            async with tx.part() as part:
                n_changed += await _apply(part, context, job_id, rule, now)
        except Exception as error:
            if cause_of(error) is Cause.TRANSIENT:
                raise
            logger("scheduler").error(
                "an overdue job could not be updated", job_id=str(job_id), exc_info=error
            )
    return n_changed


async def _apply(tx: Transaction, context: SchedulerContext, job_id: UUID, rule: Rule, now: datetime) -> bool:
    """Apply a rule to a job; whether that changed it."""
    row = await jobs.find_and_lock_job(tx.session, job_id)
    if row is None:
        return False
    before = jobs.job_value(row)
    change = rule(before, now)
    if change.job == before:
        return False
    await save_change(tx, context, row, change)
    return True

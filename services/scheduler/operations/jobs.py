"""Jobs: the write of every change, and what people do to them."""

from __future__ import annotations

from uuid import UUID

from libs.common.db import ReadSession, Transaction
from libs.common.db.clock import fetch_now
from libs.common.events import JobPublishing
from libs.common.permissions import Principal, Target
from libs.common.problem import NotFound
from libs.common.schemas.jobs import JobDetail
from libs.common.schemas.states import JobState
from libs.common.targets import fetch_session_target
from libs.common.visibility import Visibility, system_visibility
from services.scheduler.domain import rights, steering
from services.scheduler.domain.facts import JobChange
from services.scheduler.models import JobRow
from services.scheduler.operations.context import SchedulerContext
from services.scheduler.operations.graph import reconcile_session
from services.scheduler.queries import attempts, jobs, repositories
from services.scheduler.queries.locked_jobs import (
    LockedJob,
    find_and_lock_visible_job,
    find_and_lock_visible_row,
)
from services.scheduler.queries.visible import exists_session


def no_such_job(job_id: UUID) -> NotFound:
    """The problem of a job that does not exist, or that the caller may not know of."""
    return NotFound(f"There is no job {job_id}.")


async def read_job(session: ReadSession, visibility: Visibility, job_id: UUID) -> JobDetail:
    """A job with its attempts. Raises NotFound."""
    job = await jobs.find_job(session, visibility, job_id)
    if job is None:
        raise no_such_job(job_id)
    return JobDetail(history=await attempts.fetch_attempts_of_job(session, job_id), **dict(job))


async def save_change(tx: Transaction, context: SchedulerContext, row: JobRow, change: JobChange) -> None:
    """Write a change: notify registry where it says so; once the job ended or waits, wake claims and reconcile."""
    was_running = JobState(row.state).is_running
    await jobs.update_job(tx.session, row, change, await fetch_now(tx.session))
    waits = change.job.state is JobState.WAITING
    if waits:
        context.claim_queue.wake_after_commit(tx)
    if change.notify_registry and change.job.token is not None:
        tx.publish(JobPublishing(job_id=row.id, token=change.job.token))
    has_ended = was_running and not change.job.state.is_running
    if (has_ended or waits) and row.session_id is not None and row.is_derived:
        await reconcile_session(tx, context, row.session_id)


async def stop_jobs_of_session(tx: Transaction, context: SchedulerContext, session_id: UUID) -> None:
    """End the attempts of a deleted session, unless it was restored meanwhile.

    Until it is restored its jobs are ready nowhere.
    """
    await jobs.lock_graph(tx.session, session_id)
    is_restored = await exists_session(tx.session, system_visibility(), session_id)
    for row in () if is_restored else await jobs.lock_derived_jobs(tx.session, session_id):
        change = steering.stop(jobs.job_value(row))
        if change is not None:
            await save_change(tx, context, row, change)
    await reconcile_session(tx, context, session_id)


async def lock_job_to_steer(tx: Transaction, by: Principal, visibility: Visibility, job_id: UUID) -> JobRow:
    """A job that the caller may steer, locked. Raises NotFound or Forbidden."""
    if await find_and_lock_visible_job(tx.session, visibility, job_id) is None:
        raise no_such_job(job_id)
    locked = await find_and_lock_visible_row(tx.session, visibility, job_id)
    if locked is None:
        raise no_such_job(job_id)
    row, target = locked
    await _check_may_steer_locked(tx.session, by, row, target)
    return row


async def lock_job_to_change(
    tx: Transaction, by: Principal, visibility: Visibility, job_id: UUID
) -> LockedJob:
    """The same where its state does not change. Raises NotFound or Forbidden.

    Both are judged by what was so before it waited for the lock: the statement of the change judges them again.
    """
    job = await find_and_lock_visible_job(tx.session, visibility, job_id)
    if job is None:
        raise no_such_job(job_id)
    await _check_may_steer_locked(tx.session, by, job, job.target)
    return job


async def _check_may_steer_locked(
    session: ReadSession, by: Principal, job: JobRow | LockedJob, target: Target | None
) -> None:
    if target is not None:
        rights.check_may_steer_job_of_session(by, target)
    else:
        await check_may_steer(session, by, job.session_id, job.owner_id, job.data_repository_id)


async def check_may_steer(
    session: ReadSession,
    by: Principal,
    session_id: UUID | None,
    owner_id: UUID | None,
    repository_id: UUID | None,
) -> None:
    """Raises Forbidden unless the caller may steer a job of a session, or of an owner and a repository."""
    if session_id is not None:
        rights.check_may_steer_job_of_session(by, await fetch_session_target(session, session_id))
        return
    lab_ids = await repositories.fetch_lab_ids_of_repository(session, repository_id)
    rights.check_may_steer_job(by, owner_id, lab_ids)


async def hold_job(
    tx: Transaction,
    context: SchedulerContext,
    by: Principal,
    visibility: Visibility,
    job_id: UUID,
    reason: str,
) -> JobDetail:
    """Hold a job: it does not run until it is released."""
    row = await lock_job_to_steer(tx, by, visibility, job_id)
    change = steering.hold(jobs.job_value(row), f"{reason} ({by.username})")
    return await _steer(tx, context, visibility, row, change, "hold", reason)


async def abandon_job(
    tx: Transaction,
    context: SchedulerContext,
    by: Principal,
    visibility: Visibility,
    job_id: UUID,
    reason: str,
) -> JobDetail:
    """Abandon a job, also for future inputs."""
    row = await lock_job_to_steer(tx, by, visibility, job_id)
    change = steering.abandon(jobs.job_value(row), f"{reason} ({by.username})")
    return await _steer(tx, context, visibility, row, change, "abandon", reason)


async def release_job(
    tx: Transaction, context: SchedulerContext, by: Principal, visibility: Visibility, job_id: UUID
) -> JobDetail:
    """Release a job that is not running, so that it runs, or runs again."""
    row = await lock_job_to_steer(tx, by, visibility, job_id)
    return await _steer(tx, context, visibility, row, steering.release(jobs.job_value(row)), "release", "")


async def _steer(
    tx: Transaction,
    context: SchedulerContext,
    visibility: Visibility,
    row: JobRow,
    change: JobChange,
    action: str,
    reason: str,
) -> JobDetail:
    tx.audit(
        f"job.{action}",
        "job",
        row.id,
        before={"state": JobState(row.state)},
        after={"state": change.job.state, "reason": reason},
    )
    await save_change(tx, context, row, change)
    return await read_job(tx.session, visibility, row.id)

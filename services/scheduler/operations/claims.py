"""Claims: a worker waits for a job, and keeps it by heartbeats."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from libs.common.db import Begin, Transaction
from libs.common.db.clock import fetch_now
from libs.common.observability import logger
from libs.common.permissions import Principal, reach_of
from libs.common.schemas.claims import Claim, ClaimIn, HeartbeatIn, NoWork
from libs.common.scopes import Permission
from libs.common.visibility import system_visibility, visibility
from services.scheduler.domain import running
from services.scheduler.domain.retry import FIRST_LEASE, LEASE
from services.scheduler.models import JobRow
from services.scheduler.operations.attempts import check_may_work
from services.scheduler.operations.context import SchedulerContext
from services.scheduler.operations.jobs import no_such_job
from services.scheduler.queries import attempts, claims, jobs, repositories, workers

FIRST_LEASE_S = FIRST_LEASE.total_seconds()


async def wait_for_job(
    begin: Begin,
    context: SchedulerContext,
    by: Principal,
    body: ClaimIn,
    is_disconnected: Callable[[], Awaitable[bool]],
) -> Claim | NoWork:
    """Give a worker the next job it can run, as soon as there is one. A caller that disconnected gets none."""

    async def attempt() -> Claim | None:
        async with begin() as tx:
            return await claim_job(tx, context, by, body)

    return await context.claim_queue.wait_for(attempt, body.wait_s, is_disconnected) or NoWork()


async def claim_job(tx: Transaction, context: SchedulerContext, by: Principal, body: ClaimIn) -> Claim | None:
    """Claim the next job that a worker can run; None if there is none. The same claim gets the same job."""
    claimed = await _claim(tx, by, body)
    if claimed is None:
        return None
    row, token = claimed
    job = await jobs.find_job(tx.session, system_visibility(), row.id)
    if job is None:
        raise no_such_job(row.id)
    task = context.pipeline.tasks.get(row.task)
    return Claim(
        job=job, token=token, lease_s=FIRST_LEASE_S, parameters=dict(task.parameters) if task else {}
    )


async def _claim(tx: Transaction, by: Principal, body: ClaimIn) -> tuple[JobRow, int] | None:
    repeated = await claims.find_and_lock_claim(tx.session, body.claim_id)
    if repeated is not None:
        await check_may_work(tx.session, by, repeated[0].id, repeated[0].session_id)
        return repeated
    await workers.upsert_worker(tx.session, by.user_id, body)
    sites = await repositories.fetch_sites_of_worker(tx.session, body.site if body.in_place else "")
    reach = reach_of(by, Permission.WORK)
    claimable = await claims.find_and_lock_claimable_job(tx.session, body.tasks, reach, visibility(by), sites)
    if claimable is None:
        return None
    row, site = claimable
    now = await fetch_now(tx.session)
    token = await attempts.fetch_next_token(tx.session)
    change = running.claim(jobs.job_value(row), token, body.worker, now, inputs_readable=True)
    await jobs.update_job(tx.session, row, change, now)
    await claims.update_claim(tx.session, token, body.claim_id, site)
    logger("scheduler").info("a job was claimed", job_id=str(row.id), token=token, worker=body.worker)
    return row, token


async def extend_leases(tx: Transaction, by: Principal, body: HeartbeatIn) -> list[UUID]:
    """Extend the leases of a worker's jobs; the ids of those that it has lost."""
    now = await fetch_now(tx.session)
    beats = [(beat.job_id, beat.token) for beat in body.jobs]
    await workers.update_worker_heartbeat(tx.session, body.worker)
    reach = reach_of(by, Permission.WORK)
    extended = await claims.update_leases(tx.session, beats, reach, now + LEASE)
    return [beat.job_id for beat in body.jobs if beat.job_id not in extended]

"""An attempt from claim to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from cingulum.worker.pipelines import TaskDeclaration
from libs.common.bus.failures import Cause, cause_of
from libs.common.db import Transaction
from libs.common.events import JobCompleted, JobPublishing
from libs.common.observability import logger
from libs.common.permissions import Principal, may_on, reach_of
from libs.common.problem import Forbidden, NotFound
from libs.common.schemas.jobs import ClaimIn, CompleteIn, FailIn, HeartbeatIn, LogIn
from libs.common.schemas.states import JobState
from libs.common.scopes import Permission
from libs.common.targets import session_target
from libs.common.visibility import visibility
from services.scheduler import queries
from services.scheduler.domain import running
from services.scheduler.domain.facts import JobChange, JobValue, LateToken, OutputRef, OutputUndeclared
from services.scheduler.domain.graph import makes_all, undeclared
from services.scheduler.domain.retry import FIRST_LEASE, LEASE, FailureKind, pause
from services.scheduler.domain.steering import LEGACY_RUNNER
from services.scheduler.models import JobRow
from services.scheduler.operations.graph import look_at, slot_of
from services.scheduler.operations.pipeline import pipeline_of
from services.scheduler.queries import claims, ready

FIRST_LEASE_S = FIRST_LEASE.total_seconds()


async def _locked(tx: Transaction, by: Principal, job_id: UUID) -> JobRow:
    """A job that a worker's token is for, locked. Raises NotFound, Forbidden."""
    row = await queries.locked(tx.session, job_id)
    if row is None:
        raise NotFound(f"There is no job {job_id}.")
    await _check_may_work(tx, by, row)
    return row


async def _check_may_work(tx: Transaction, by: Principal, row: JobRow, missing: str = "") -> None:
    """Raises Forbidden, and NotFound where the caller may not know of the job at all: as if it were not there."""
    if may_on(by, Permission.WORK, await session_target(tx.session, row.session_id)):
        return
    if await queries.one(tx.session, queries.jobs(visibility(by)), JobRow.id == row.id) is None:
        raise NotFound(missing or f"There is no job {row.id}.")
    raise Forbidden("The job is beyond the labs and projects of the worker's token.")


async def claim(tx: Transaction, by: Principal, asked: ClaimIn) -> tuple[JobRow, int] | None:
    """Give a worker the next job it can run; None where there is none. The same claim gets the same job."""
    before = await claims.claimed_before(tx.session, asked.claim_id)
    if before is not None:
        await _check_may_work(tx, by, before[0])
        return before
    seen = {"user_id": by.user_id, "site": asked.site, "tasks": asked.tasks, "version": asked.version}
    await claims.worker_seen(tx.session, asked.worker, seen)
    sites = await ready.sites_of(tx.session, asked.site if asked.in_place else "")
    reach = reach_of(by, Permission.WORK)
    found = await claims.claimable(tx.session, asked.tasks, reach, visibility(by), sites)
    if found is None:
        return None
    row, site = found
    now = await queries.clock(tx.session)
    token = await queries.next_token(tx.session)
    change = running.claim(queries.value(row), token, asked.worker, now, inputs_readable=True)
    await queries.write(tx.session, row, change, now)
    await claims.name_claim(tx.session, token, asked.claim_id, site)
    logger("scheduler").info("a job was claimed", job_id=str(row.id), token=token, worker=asked.worker)
    return row, token


async def heartbeat(tx: Transaction, by: Principal, beats: HeartbeatIn) -> list[UUID]:
    """Prolong the leases of a worker's jobs; those that are not its own any more."""
    now = await queries.clock(tx.session)
    pairs = [(beat.job_id, beat.token) for beat in beats.jobs]
    await claims.worker_lives(tx.session, beats.worker)
    kept = await claims.heartbeat(tx.session, pairs, reach_of(by, Permission.WORK), now + LEASE)
    return [beat.job_id for beat in beats.jobs if beat.job_id not in kept]


async def complete(tx: Transaction, by: Principal, job_id: UUID, said: CompleteIn) -> JobRow:
    """Take a worker's word that it has finished: from here on its outputs are registered or refused aloud."""
    row = await _locked(tx, by, job_id)
    outputs = [OutputRef(o.name, o.upload_id, o.sha256) for o in said.outputs]
    uploads = await queries.upload_facts(tx.session, [o.upload_id for o in outputs])
    now = await queries.clock(tx.session)
    attempt = await queries.attempt(tx.session, said.token)
    if attempt is not None and attempt.job_id != job_id:
        raise LateToken
    spec = pipeline_of(tx).tasks.get(row.task)
    before = queries.value(row)
    change = running.complete(
        before,
        said.token,
        outputs,
        uploads,
        now,
        is_whole=spec is None or makes_all(spec, slot_of(row).scope, [o.name for o in outputs]),
        attempt=attempt,
    )
    if change.job != before:
        _check_declared(row, spec, outputs)
    if said.elapsed_s is not None:
        row.time_elapsed_secs = said.elapsed_s
    if change.job != before:  # not a repeat, whose answer was lost
        names = [output.name for output in outputs]
        tx.audit("attempt.finished", "job", job_id, after={"token": said.token, "outputs": names})
    await write(tx, row, change)
    return row


def _check_declared(row: JobRow, spec: TaskDeclaration | None, outputs: Sequence[OutputRef]) -> None:
    """Raises OutputUndeclared: a job writes its task's outputs, and no other file of the session."""
    if extra := undeclared(spec, slot_of(row).scope, [output.name for output in outputs]):
        raise OutputUndeclared(
            f"{row.task} does not declare {', '.join(extra)}: complete without, or declare it as an output."
        )


async def fail(tx: Transaction, by: Principal, job_id: UUID, said: FailIn) -> JobRow:
    """The run failed: rest and try again, or Errored."""
    row = await _locked(tx, by, job_id)
    now = await queries.clock(tx.session)
    kind = FailureKind(said.kind)
    await write(tx, row, running.fail(queries.value(row), said.token, kind, said.reason, now))
    if kind is FailureKind.UNREADABLE:
        site, times = await ready.returned(tx.session, job_id, said.token)
        await ready.rest(tx.session, job_id, site, now + pause(times))
    tx.audit(
        "attempt.failed", "job", job_id, after={"token": said.token, "kind": kind, "reason": said.reason}
    )
    return row


async def log(tx: Transaction, by: Principal, job_id: UUID, piece: LogIn) -> None:
    """Keep a piece of an attempt's log, also of one that is over: it says why."""
    attempt = await queries.attempt(tx.session, piece.token)
    row = await tx.session.get(JobRow, job_id)
    missing = f"The job {job_id} has no such attempt."
    if row is None or attempt is None or attempt.job_id != job_id:
        raise NotFound(missing)
    await _check_may_work(tx, by, row, missing)
    await queries.add_log(tx.session, job_id, piece.token, piece.n, piece.text)


async def write(tx: Transaction, row: JobRow, change: JobChange) -> None:
    """Write a decision, ring registry where it says so, and look at the session again once the job rests or waits."""
    now = await queries.clock(tx.session)
    was_running = JobState(row.state).is_running
    await queries.write(tx.session, row, change, now)
    if change.notify_registry and change.job.token is not None:
        tx.publish(JobPublishing(job_id=row.id, token=change.job.token))
    has_ended = was_running and not change.job.state.is_running
    if (has_ended or change.job.state is JobState.WAITING) and row.session_id is not None and row.is_derived:
        await look_at(tx, row.session_id)


async def published(tx: Transaction, job_id: UUID, token: int, dataset_ids: list[UUID]) -> None:
    """Registry has registered a job's outputs."""
    row = await queries.locked(tx.session, job_id)
    if row is None:
        return
    before = queries.value(row)
    change = running.published(before, token)
    await write(tx, row, change)
    if change.job != before:
        tx.publish(
            JobCompleted(job_id=job_id, session_id=row.session_id, task=row.task, dataset_ids=dataset_ids)
        )


async def refused(tx: Transaction, job_id: UUID, token: int, reason: str) -> None:
    """Registry cannot register a job's outputs."""
    row = await queries.locked(tx.session, job_id)
    if row is not None:
        await write(tx, row, running.refused(queries.value(row), token, reason))


async def take_back(tx: Transaction, ran_out_by: datetime | None = None) -> int:
    """Take back jobs whose lease ran out by that time, or by now; how many."""
    now = await queries.clock(tx.session)
    return await _look_at_late(tx, JobState.STARTED, running.expire, now, ran_out_by)


async def take_back_from_legacy_runners(tx: Transaction) -> int:
    """The same of runners that send no heartbeat, whose time is over by the clock alone; how many."""
    now = await queries.clock(tx.session)
    return await _look_at_late(tx, JobState.STARTED, running.expire, now, worker=LEGACY_RUNNER)


async def notify_registry_again(tx: Transaction) -> int:
    """Ask registry anew for jobs that wait for it too long; how many."""
    now = await queries.clock(tx.session)
    return await _look_at_late(tx, JobState.PUBLISHING, running.notify_registry_again, now)


async def _look_at_late(
    tx: Transaction,
    state: JobState,
    rule: Callable[[JobValue, datetime], JobChange],
    now: datetime,
    passed_by: datetime | None = None,
    worker: str | None = None,
) -> int:
    """Apply a rule to the jobs whose deadline passed by then, or by now; how many it changed.

    Not all that were found, as others may have been sooner. What is wrong with one job alone is logged, and keeps no
    other waiting.
    """
    changed = 0
    for job_id in await queries.overdue(tx.session, state, passed_by or now, worker):
        try:
            async with tx.part() as part:
                changed += await _apply(part, job_id, rule, now)
        except Exception as error:
            if cause_of(error) is Cause.TRANSIENT:
                raise
            logger("scheduler").error("a late job cannot be judged", job_id=str(job_id), exc_info=error)
    return changed


async def _apply(
    tx: Transaction, job_id: UUID, rule: Callable[[JobValue, datetime], JobChange], now: datetime
) -> bool:
    """Apply a rule to a job; whether that changed it."""
    row = await queries.locked(tx.session, job_id)
    if row is None:
        return False
    before = queries.value(row)
    change = rule(before, now)
    if change.job == before:
        return False
    await write(tx, row, change)
    return True

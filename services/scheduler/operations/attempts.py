"""Attempts: how they end, by the worker and by registry, and the logs they leave."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from cingulum.worker.pipelines import TaskDeclaration
from libs.common.db import ReadSession, Transaction
from libs.common.db.clock import fetch_now
from libs.common.events import JobCompleted
from libs.common.permissions import Principal, may_on
from libs.common.problem import Forbidden, LateToken, NotFound
from libs.common.schemas.attempts import CompleteIn, FailIn, LogIn, LogPiece
from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.jobs import JobDetail
from libs.common.scopes import Permission
from libs.common.targets import fetch_session_target
from libs.common.visibility import Visibility, system_visibility, visibility
from services.scheduler.domain import running
from services.scheduler.domain.facts import OutputUndeclared
from services.scheduler.domain.graph import produces_all, undeclared
from services.scheduler.domain.retry import FailureKind, pause
from services.scheduler.models import JobRow
from services.scheduler.operations.context import SchedulerContext
from services.scheduler.operations.graph import slot_of
from services.scheduler.operations.jobs import no_such_job, read_job, save_change
from services.scheduler.queries import attempts, jobs, logs, ready, uploads


async def _lock_job_to_work(tx: Transaction, by: Principal, job_id: UUID) -> JobRow:
    """A job within the scopes of a worker's token, locked. Raises NotFound, Forbidden."""
    row = await jobs.find_and_lock_job(tx.session, job_id)
    if row is None:
        raise no_such_job(job_id)
    await check_may_work(tx.session, by, job_id, row.session_id)
    return row


async def check_may_work(
    session: ReadSession,
    by: Principal,
    job_id: UUID,
    session_id: UUID | None,
    missing: NotFound | None = None,
) -> None:
    """Raises Forbidden; NotFound where the caller may not know of the job, as if it did not exist."""
    if may_on(by, Permission.WORK, await fetch_session_target(session, session_id)):
        return
    if not await jobs.exists_job(session, visibility(by), job_id):
        raise missing or no_such_job(job_id)
    raise Forbidden("The job is beyond the labs and projects of the worker's token.")


async def complete_attempt(
    tx: Transaction, context: SchedulerContext, by: Principal, job_id: UUID, body: CompleteIn
) -> JobDetail:
    """Accept a completion: from here on the outputs are registered or explicitly refused."""
    row = await _lock_job_to_work(tx, by, job_id)
    outputs = body.outputs
    landed = await uploads.fetch_uploads(tx.session, [output.upload_id for output in outputs])
    now = await fetch_now(tx.session)
    attempt = await attempts.find_attempt(tx.session, body.token)
    if attempt is not None and attempt.job_id != job_id:
        raise LateToken
    task = context.pipeline.tasks.get(row.task)
    names = [output.relative_path for output in outputs]
    before = jobs.job_value(row)
    is_whole = task is None or produces_all(task, slot_of(row).scope, names)
    change = running.complete(before, body.token, outputs, landed, now, is_whole=is_whole, attempt=attempt)
    is_repeat = change.job == before  # of a completion whose response was lost
    if not is_repeat:
        _check_declared(row, task, outputs)
    if body.elapsed_s is not None:
        row.time_elapsed_secs = body.elapsed_s
    if not is_repeat:
        tx.audit("attempt.finished", "job", job_id, after={"token": body.token, "outputs": names})
    await save_change(tx, context, row, change)
    return await read_job(tx.session, system_visibility(), job_id)


def _check_declared(row: JobRow, task: TaskDeclaration | None, outputs: Sequence[JobOutput]) -> None:
    """Raises OutputUndeclared: a job writes its task's outputs, and no other file of the session."""
    if extra := undeclared(task, slot_of(row).scope, [output.relative_path for output in outputs]):
        raise OutputUndeclared(
            f"{row.task} does not declare {', '.join(extra)}: omit it, or declare it as an output."
        )


async def fail_attempt(
    tx: Transaction, context: SchedulerContext, by: Principal, job_id: UUID, body: FailIn
) -> JobDetail:
    """The run failed: wait and retry, or Errored."""
    row = await _lock_job_to_work(tx, by, job_id)
    now = await fetch_now(tx.session)
    kind = FailureKind(body.kind)
    change = running.fail(jobs.job_value(row), body.token, kind, body.reason, now)
    await save_change(tx, context, row, change)
    if kind is FailureKind.UNREADABLE:
        site, times = await attempts.fetch_return(tx.session, job_id, body.token)
        await ready.update_pause(tx.session, job_id, site, now + pause(times))
    tx.audit(
        "attempt.failed", "job", job_id, after={"token": body.token, "kind": kind, "reason": body.reason}
    )
    return await read_job(tx.session, system_visibility(), job_id)


async def publish_outputs(
    tx: Transaction, context: SchedulerContext, job_id: UUID, token: int, dataset_ids: list[UUID]
) -> None:
    """Registry has registered a job's outputs."""
    row = await jobs.find_and_lock_job(tx.session, job_id)
    if row is None:
        return
    before = jobs.job_value(row)
    change = running.published(before, token)
    await save_change(tx, context, row, change)
    if change.job != before:
        tx.publish(
            JobCompleted(job_id=job_id, session_id=row.session_id, task=row.task, dataset_ids=dataset_ids)
        )


async def refuse_outputs(
    tx: Transaction, context: SchedulerContext, job_id: UUID, token: int, reason: str
) -> None:
    """Registry cannot register a job's outputs."""
    row = await jobs.find_and_lock_job(tx.session, job_id)
    if row is not None:
        await save_change(tx, context, row, running.refused(jobs.job_value(row), token, reason))


async def add_log(tx: Transaction, by: Principal, job_id: UUID, body: LogIn) -> None:
    """Store a piece of an attempt's log, also after the attempt has ended: it explains why."""
    attempt = await attempts.find_attempt(tx.session, body.token)
    missing = NotFound(f"The job {job_id} has no such attempt.")
    if attempt is None or attempt.job_id != job_id:
        raise missing
    session_id = await jobs.find_session_id_of_job(tx.session, job_id)
    await check_may_work(tx.session, by, job_id, session_id, missing)
    await logs.insert_log_piece(tx.session, job_id, body.token, body.n, body.text)


async def read_log(session: ReadSession, visibility: Visibility, job_id: UUID, after: int) -> list[LogPiece]:
    """The log of a job behind a piece. Raises NotFound."""
    if not await jobs.exists_job(session, visibility, job_id):
        raise no_such_job(job_id)
    return await logs.fetch_log_after(session, job_id, after)

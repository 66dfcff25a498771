"""An attempt from claim to end. Each function takes the locked job and returns what to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from libs.common.problem import LateToken
from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState, JobState, UploadState
from services.scheduler.domain.facts import (
    AttemptValue,
    JobChange,
    JobStateConflict,
    JobValue,
    OutputProblem,
    UploadFact,
    ended,
)
from services.scheduler.domain.retry import FIRST_LEASE, PUBLISHING, FailureKind, may_retry, pause


def claim(job: JobValue, token: int, worker: str, now: datetime, *, inputs_readable: bool) -> JobChange:
    """Give a Waiting job to a worker, under a token that was never used.

    `inputs_readable`, at the worker's site, comes from registry's view in the same transaction: the event that would
    have held the job may be late. Raises JobStateConflict where the job cannot be claimed.
    """
    if job.state is not JobState.WAITING or job.key is None:
        raise JobStateConflict(f"The job is {job.state}.")
    if job.not_before is not None and now < job.not_before:
        raise JobStateConflict("The job waits for a retry after a failure.")
    if not inputs_readable:
        raise JobStateConflict("An input has no verified copy that this worker can read.")
    started = replace(
        job,
        state=JobState.STARTED,
        token=token,
        worker=worker,
        deadline=now + FIRST_LEASE,
        not_before=None,
        attempts=job.attempts + 1,
        reason="",
        outputs=(),
    )
    return JobChange(started, (AttemptValue(job.id, token, AttemptState.RUNNING),))


def complete(
    job: JobValue,
    token: int,
    outputs: Sequence[JobOutput],
    uploads: Mapping[UUID, UploadFact],
    now: datetime,
    *,
    is_whole: bool,
    attempt: AttemptValue | None,
) -> JobChange:
    """Accept a completion: from here on the outputs are registered or explicitly refused, never dropped.

    `attempt` is the row of this token, if there is one; `is_whole` means that no declared output is missing
    (`graph.produces_all`), else the job will be Incomplete.
    A repeat (its response was lost) changes nothing, even after the job has other work. A run without outputs
    has nothing to publish: Empty. Raises LateToken; OutputProblem when an upload has not landed, is of another attempt,
    or has another hash.
    """
    completed = tuple(sorted(outputs, key=lambda output: output.relative_path))
    if attempt and attempt.state in {AttemptState.PUBLISHING, AttemptState.REGISTERED, AttemptState.REFUSED}:
        if attempt.outputs != completed:
            raise JobStateConflict("This attempt was completed with other outputs.")
        return JobChange(job)
    _running(job, token)
    _check_outputs(job, token, completed, uploads)
    if not completed:
        return ended(job, AttemptState.REGISTERED, JobState.EMPTY, "The run wrote no outputs.")
    publishing = replace(
        job,
        state=JobState.PUBLISHING,
        deadline=now + PUBLISHING,
        outputs=completed,
        finishing=JobState.COMPLETE if is_whole else JobState.INCOMPLETE,
    )
    return JobChange(
        publishing, (AttemptValue(job.id, token, AttemptState.PUBLISHING, completed),), notify_registry=True
    )


def notify_registry_again(job: JobValue, now: datetime) -> JobChange:
    """Notify registry again when a Publishing job's deadline has passed. Never aborts: only registry decides."""
    if job.state is not JobState.PUBLISHING or job.deadline is None or now < job.deadline:
        return JobChange(job)
    return JobChange(replace(job, deadline=now + PUBLISHING), notify_registry=True)


def published(job: JobValue, token: int) -> JobChange:
    """Registry has registered all outputs of this attempt. Idempotent; nothing for an attempt that has ended."""
    if job.state is not JobState.PUBLISHING or job.token != token:
        return JobChange(job)
    return ended(job, AttemptState.REGISTERED, job.finishing or JobState.COMPLETE, "")


def refused(job: JobValue, token: int, reason: str) -> JobChange:
    """Registry cannot register the outputs: Errored with its reason, for a person to read."""
    if job.state is not JobState.PUBLISHING or job.token != token:
        return JobChange(job)
    return ended(job, AttemptState.REFUSED, JobState.ERRORED, f"Its outputs were refused: {reason}")


def fail(job: JobValue, token: int, kind: FailureKind, text: str, now: datetime) -> JobChange:
    """The run failed: wait and retry, or Errored."""
    if kind is FailureKind.UNREADABLE:
        return return_job(job, token, text)
    _running(job, token)
    return _after_failure(job, AttemptState.FAILED, kind, text, now)


def return_job(job: JobValue, token: int, text: str) -> JobChange:
    """The worker could not read an input, so the run never began: the job waits again; no attempt is counted."""
    _running(job, token)
    change = ended(job, AttemptState.RETURNED, JobState.WAITING, text)
    return replace(change, job=replace(change.job, attempts=max(0, job.attempts - 1)))


def expire(job: JobValue, now: datetime) -> JobChange:
    """Take back a job whose lease has expired. Before that, or in any other state: nothing."""
    if job.state is not JobState.STARTED or job.deadline is None or now < job.deadline:
        return JobChange(job)
    lost = f"Worker {job.worker} stopped sending heartbeats."
    return _after_failure(job, AttemptState.LOST, FailureKind.TRANSIENT, lost, now)


def _running(job: JobValue, token: int) -> None:
    if job.state is not JobState.STARTED or job.token != token:
        raise LateToken


def _check_outputs(
    job: JobValue, token: int, outputs: Sequence[JobOutput], uploads: Mapping[UUID, UploadFact]
) -> None:
    if len({output.relative_path for output in outputs}) != len(outputs):
        raise OutputProblem("Two outputs have the same name.")
    for output in outputs:
        upload = uploads.get(output.upload_id)
        if upload is None or (upload.job_id, upload.token) != (job.id, token):
            raise OutputProblem(f"The upload of {output.relative_path} does not belong to this attempt.")
        if upload.state is not UploadState.LANDED:
            raise OutputProblem(f"The upload of {output.relative_path} is {upload.state}: complete it first.")
        if upload.sha256 != output.sha256:
            raise OutputProblem(
                f"The bytes of {output.relative_path} do not have the SHA-256 of the completion."
            )


def _after_failure(
    job: JobValue, how: AttemptState, kind: FailureKind, text: str, now: datetime
) -> JobChange:
    if not may_retry(job.attempts, kind):
        return ended(job, how, JobState.ERRORED, text)
    change = ended(job, how, JobState.WAITING, text)
    return replace(change, job=replace(change.job, not_before=now + pause(job.attempts)))

"""An attempt from claim to end. Each function takes the job as locked and answers with what to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from libs.common.schemas.states import AttemptState, JobState, UploadState
from services.scheduler.domain.facts import (
    Attempt,
    Change,
    Job,
    LateToken,
    NotNow,
    OutputProblem,
    OutputRef,
    UploadFact,
    ended,
)
from services.scheduler.domain.retry import FIRST_LEASE, LEASE, PUBLISHING, FailureKind, may_retry, pause


def claim(job: Job, token: int, worker: str, now: datetime, *, inputs_readable: bool) -> Change:
    """Give a Waiting job to a worker, under a token that no attempt ever had.

    `inputs_readable`, at the worker's site, is looked up in registry's view in the same transaction: the doorbell that
    would have held the job may be late. Raises NotNow where the job is not to be had.
    """
    if job.state is not JobState.WAITING or job.key is None:
        raise NotNow(f"The job is {job.state}.")
    if job.not_before is not None and now < job.not_before:
        raise NotNow("The job rests after a failure.")
    if not inputs_readable:
        raise NotNow("An input has no verified copy that this worker can read.")
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
    return Change(started, (Attempt(job.id, token, AttemptState.RUNNING),))


def heartbeat(job: Job, token: int, now: datetime) -> Change:
    """Prolong the lease. One that ran out and was not taken back is good again: the token decides."""
    _running(job, token)
    return Change(replace(job, deadline=now + LEASE))


def complete(
    job: Job,
    token: int,
    outputs: Sequence[OutputRef],
    uploads: Mapping[UUID, UploadFact],
    now: datetime,
    *,
    is_whole: bool,
    attempt: Attempt | None,
) -> Change:
    """Take a worker's word that it has finished: its outputs are never dropped from here on, only refused aloud.

    `attempt` is the row of this token, if there is one; `is_whole` says whether no declared output is missing
    (`graph.makes_all`), else the job will be Incomplete.
    A repeat (its answer was lost) changes nothing, even after the job went on to other work. A run without outputs
    has nothing to publish: Empty. Raises LateToken; OutputProblem when an upload is not landed, of another attempt, or
    of another hash.
    """
    given = tuple(sorted(outputs, key=lambda output: output.name))
    if attempt and attempt.state in {AttemptState.PUBLISHING, AttemptState.REGISTERED, AttemptState.REFUSED}:
        if attempt.outputs != given:
            raise NotNow("This attempt was completed with other outputs.")
        return Change(job)
    _running(job, token)
    _check_outputs(job, token, given, uploads)
    if not given:
        return ended(job, AttemptState.REGISTERED, JobState.EMPTY, "The run made nothing.")
    publishing = replace(
        job,
        state=JobState.PUBLISHING,
        deadline=now + PUBLISHING,
        outputs=given,
        finishing=JobState.COMPLETE if is_whole else JobState.INCOMPLETE,
    )
    return Change(publishing, (Attempt(job.id, token, AttemptState.PUBLISHING, given),), ring_registry=True)


def ring_again(job: Job, now: datetime) -> Change:
    """Ask registry anew when a Publishing job's deadline has passed. It never gives up: only registry knows."""
    if job.state is not JobState.PUBLISHING or job.deadline is None or now < job.deadline:
        return Change(job)
    return Change(replace(job, deadline=now + PUBLISHING), ring_registry=True)


def published(job: Job, token: int) -> Change:
    """Registry has registered all outputs of this attempt. Twice, or for an attempt long over: nothing."""
    if job.state is not JobState.PUBLISHING or job.token != token:
        return Change(job)
    return ended(job, AttemptState.REGISTERED, job.finishing or JobState.COMPLETE, "")


def refused(job: Job, token: int, reason: str) -> Change:
    """Registry cannot register the outputs: Errored with its reason, for a person to read."""
    if job.state is not JobState.PUBLISHING or job.token != token:
        return Change(job)
    return ended(job, AttemptState.REFUSED, JobState.ERRORED, f"Its outputs were refused: {reason}")


def fail(job: Job, token: int, kind: FailureKind, text: str, now: datetime) -> Change:
    """The worker says that the run failed: rest and try again, or Errored."""
    if kind is FailureKind.UNREADABLE:
        return give_back(job, token, text)
    _running(job, token)
    return _after_failure(job, AttemptState.FAILED, kind, text, now)


def give_back(job: Job, token: int, text: str) -> Change:
    """The worker could not read an input, so the run never began: the job waits again, and no attempt is counted."""
    _running(job, token)
    change = ended(job, AttemptState.RETURNED, JobState.WAITING, text)
    return replace(change, job=replace(change.job, attempts=max(0, job.attempts - 1)))


def expire(job: Job, now: datetime) -> Change:
    """Take a job back whose lease has run out. Before that, or in any other state: nothing."""
    if job.state is not JobState.STARTED or job.deadline is None or now < job.deadline:
        return Change(job)
    lost = f"Worker {job.worker} went silent."
    return _after_failure(job, AttemptState.LOST, FailureKind.TRANSIENT, lost, now)


def _running(job: Job, token: int) -> None:
    if job.state is not JobState.STARTED or job.token != token:
        raise LateToken


def _check_outputs(
    job: Job, token: int, outputs: Sequence[OutputRef], uploads: Mapping[UUID, UploadFact]
) -> None:
    if len({output.name for output in outputs}) != len(outputs):
        raise OutputProblem("Two outputs have the same name.")
    for output in outputs:
        upload = uploads.get(output.upload_id)
        if upload is None or (upload.job_id, upload.token) != (job.id, token):
            raise OutputProblem(f"The upload of {output.name} is not of this attempt.")
        if upload.state is not UploadState.LANDED:
            raise OutputProblem(f"The upload of {output.name} is {upload.state}: complete it first.")
        if upload.sha256 != output.sha256:
            raise OutputProblem(f"The bytes of {output.name} have another SHA-256 than said.")


def _after_failure(job: Job, how: AttemptState, kind: FailureKind, text: str, now: datetime) -> Change:
    if not may_retry(job.attempts, kind):
        return ended(job, how, JobState.ERRORED, text)
    change = ended(job, how, JobState.WAITING, text)
    return replace(change, job=replace(change.job, not_before=now + pause(job.attempts)))

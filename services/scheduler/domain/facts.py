"""A job, its attempts, and the facts that decisions about them need.

A *job* is the one row of its slot (task, scope), as in Alyx; its `key` identifies the work that is due.
An *attempt* is one claim of the job, identified by a token from one sequence. A job has a token exactly while Started
or Publishing, so a lost token is never valid again: "this attempt has ended" stays true, and sweeps may rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from libs.common.problem import Conflict
from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState, JobState, UploadState


class JobStateConflict(Conflict):
    """The job's state does not allow this."""

    slug = "job-state"


class OutputProblem(Conflict):
    """An output cannot be accepted as it is; the worker can correct it and complete again."""

    slug = "output-not-landed"


class OutputUndeclared(OutputProblem):
    """An output that the job's task does not declare; the worker can leave it out and complete again."""

    slug = "output-not-declared"


@dataclass(frozen=True)
class UploadFact:
    """An upload, as transfer's published view shows it."""

    upload_id: UUID
    state: UploadState
    sha256: str | None
    job_id: UUID | None
    token: int | None


@dataclass(frozen=True)
class AttemptValue:
    """The attempt of `token`, as the `attempts` table and view show it."""

    job_id: UUID
    token: int
    state: AttemptState
    outputs: tuple[JobOutput, ...] = ()


@dataclass(frozen=True)
class JobValue:
    """One row of `jobs`.

    `key` is null while inputs are not all known; `token` and `worker` are set exactly while Started or Publishing;
    `deadline` is the lease's end when Started, the next notice to registry when Publishing, null otherwise;
    `by_person` means that a person set the state, so only a person changes it. `is_legacy` marks a task created
    through `/tasks`: it has no key, no graph, and only a legacy runner runs it; `runner` is the one that started it.
    """

    id: UUID
    state: JobState
    key: str | None
    token: int | None = None
    worker: str | None = None
    deadline: datetime | None = None
    not_before: datetime | None = None
    attempts: int = 0
    reason: str = ""
    by_person: bool = False
    outputs: tuple[JobOutput, ...] = ()
    finishing: JobState | None = None
    is_legacy: bool = False
    runner: str | None = None


@dataclass(frozen=True)
class JobChange:
    """What to write in one transaction: the job, the attempts that changed, whether to notify registry."""

    job: JobValue
    attempts: tuple[AttemptValue, ...] = ()
    notify_registry: bool = False


def ended(job: JobValue, how: AttemptState, state: JobState, reason: str) -> JobChange:
    """End the job's attempt, if it has one, in the attempt state `how`; its token is never valid again."""
    attempts = () if job.token is None else (AttemptValue(job.id, job.token, how, job.outputs),)
    resting = replace(
        job, state=state, token=None, worker=None, deadline=None, reason=reason, by_person=False
    )
    return JobChange(replace(resting, outputs=(), finishing=None, runner=None), attempts)

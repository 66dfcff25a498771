"""A job, its attempts, and what a decision about them is made of.

A *job* is the one row of its slot (task, scope), as Alyx has it; its `key` names the work now wanted of it.
An *attempt* is one claim of the job, named by a token from one sequence. A job has a token exactly while Started or
Publishing, so a lost token never comes back: "this attempt has ended" stays true, and sweeps may build on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from libs.common.problem import Conflict
from libs.common.schemas.states import AttemptState, JobState, UploadState


class LateToken(Conflict):
    """The job was given to somebody else, or taken back: drop this attempt, its uploads will be swept."""

    slug = "late-token"
    detail = "This token is not the job's any more: the attempt is over, do not repeat it."


class NotNow(Conflict):
    """The job's state does not allow this."""

    slug = "job-state"


class OutputProblem(Conflict):
    """An output cannot be accepted as it is; the worker can mend it and complete again."""

    slug = "output-not-landed"


class OutputUndeclared(OutputProblem):
    """An output that the job's task does not declare; the worker can leave it out and complete again."""

    slug = "output-not-declared"


@dataclass(frozen=True)
class OutputRef:
    """One output as a worker hands it in: its ALF path below the session, its upload, its hash."""

    name: str
    upload_id: UUID
    sha256: str


@dataclass(frozen=True)
class UploadFact:
    """What transfer's published view says of an upload."""

    upload_id: UUID
    state: UploadState
    sha256: str | None
    job_id: UUID | None
    token: int | None


@dataclass(frozen=True)
class Attempt:
    """How the attempt of `token` stands, as scheduler's `attempts` table and view hold it."""

    job_id: UUID
    token: int
    state: AttemptState
    outputs: tuple[OutputRef, ...] = ()


@dataclass(frozen=True)
class Job:
    """One row of `jobs`.

    `key` is null while inputs are not all known; `token` and `worker` are set exactly while Started or Publishing;
    `deadline` is the lease's end when Started, the next ring when Publishing, null otherwise;
    `by_person` says that a person put it where it is, so only a person takes it out. `is_legacy` marks a task made
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
    outputs: tuple[OutputRef, ...] = ()
    finishing: JobState | None = None
    is_legacy: bool = False
    runner: str | None = None


@dataclass(frozen=True)
class Change:
    """What to write in one transaction: the job, the attempts that changed, whether to ring registry."""

    job: Job
    attempts: tuple[Attempt, ...] = ()
    ring_registry: bool = False


def ended(job: Job, how: AttemptState, state: JobState, reason: str) -> Change:
    """Let go of the job: its attempt, if it has one, has ended so, and its token never comes back."""
    attempts = () if job.token is None else (Attempt(job.id, job.token, how, job.outputs),)
    resting = replace(
        job, state=state, token=None, worker=None, deadline=None, reason=reason, by_person=False
    )
    return Change(replace(resting, outputs=(), finishing=None, runner=None), attempts)

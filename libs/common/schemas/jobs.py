"""Jobs, attempts and workers, and Alyx's task."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, BodySchema, Record, Schema

MOST_CHARACTERS_OF_A_LOG = 1_000_000


class JobInput(Schema):
    """A dataset that a job reads: its path below the session, and the hash of the bytes."""

    path: str
    dataset_id: UUID
    sha256: str


class JobOutput(BodySchema):
    """A file that a worker wrote and uploaded; `name` is its path below the session."""

    name: str = Field(min_length=1, max_length=512, examples=["alf/_cingulum_psychometric.fit.json"])
    upload_id: UUID
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Attempt(Schema):
    """One claim of a job."""

    token: int
    state: str
    worker: str
    started_at: datetime
    ended_at: datetime | None


class Job(Schema):
    """One task on one session or probe, and why it does not run now."""

    id: UUID
    task: str
    session_id: UUID | None
    subject: str | None
    lab: str | None
    session_path: str | None = Field(description="lab/Subjects/subject/date/number")
    probe: str
    state: str
    why: str = Field(description="one sentence on why it does not run; empty for a job that runs")
    worker: str | None
    attempts: int
    priority: int
    inputs: list[JobInput]
    outputs: list[JobOutput]
    created_at: datetime
    updated_at: datetime


class JobDetail(Job):
    """A job with its attempts, newest first."""

    history: list[Attempt]


class ClaimIn(BodySchema):
    """A worker's request for a job; it waits up to `wait_s`."""

    claim_id: UUID = Field(description="chosen by the worker: a repeated id gets the same job")
    worker: str = Field(min_length=1, max_length=200)
    tasks: list[str] = Field(min_length=1, max_length=100, description="names of the tasks it can run")
    site: str = Field(
        default="",
        max_length=200,
        description="where the worker is: an agent repository, its host or its lab. Jobs whose inputs are"
        " only there are given to no other worker",
    )
    in_place: bool = Field(
        default=False,
        description="whether it reads files in place at its site; else it gets jobs of the central store only",
    )
    version: str = ""
    wait_s: float = Field(default=25, ge=0, le=55, allow_inf_nan=False)


class Claim(Schema):
    """A job given to a worker. Every later request about it carries the token."""

    job: Job
    token: int
    lease_s: float = Field(description="how long the job is the worker's without a heartbeat")
    parameters: dict[str, Any]


class NoWork(Schema):
    """No job became ready while the worker waited."""

    job: None = None


class Beat(BodySchema):
    """One job that is still running."""

    job_id: UUID
    token: int


class HeartbeatIn(BodySchema):
    """A worker is alive and runs these jobs."""

    worker: str
    jobs: list[Beat] = Field(max_length=1_000)


class Heartbeat(Schema):
    """The jobs that the worker has lost: drop them."""

    lost: list[UUID]


class CompleteIn(BodySchema):
    """The run has ended and its outputs are uploaded."""

    token: int
    outputs: list[JobOutput] = Field(max_length=1_000)
    elapsed_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class FailIn(BodySchema):
    """The run failed."""

    token: int
    kind: Literal["transient", "permanent", "unreadable"] = Field(
        description="unreadable: an input cannot be read; the run did not begin and is not counted"
    )
    reason: str = Field(max_length=10_000)


class LogIn(BodySchema):
    """A piece of the log; `n` counts the pieces of one attempt, so that a repeat is stored once."""

    token: int
    n: int = Field(ge=0)
    text: str = Field(max_length=100_000)


class LogPiece(Schema):
    """A piece of a job's log."""

    id: int
    token: int
    text: str
    at: datetime


class ReasonIn(BodySchema):
    """The reason, for other people."""

    reason: str = Field(min_length=1, max_length=1_000)


class Worker(Schema):
    """A worker, as of its last request."""

    name: str
    site: str
    labs: list[str]
    tasks: list[str]
    version: str
    seen_at: datetime


class Task(Record):
    """A job in Alyx's contract."""

    id: UUID
    parents: list[UUID]
    session: UUID | None
    data_repository: str | None
    status: str
    name: str
    priority: int
    io_charge: int
    level: int
    gpu: int
    cpu: int
    ram: int
    time_out_secs: int | None
    time_elapsed_secs: float | None
    executable: str
    graph: str
    log: str | None
    version: str | None
    datetime: str
    arguments: dict[str, Any] | None


class TaskIn(BodyRecord):
    """A task to create or update."""

    parents: list[UUID] | None = None
    session: UUID | None = None
    data_repository: str | None = None
    status: str | int | None = None
    name: str | None = Field(default=None, max_length=64)
    priority: int | None = None
    io_charge: int | None = None
    level: int | None = None
    gpu: int | None = None
    cpu: int | None = None
    ram: int | None = None
    time_out_secs: int | None = Field(default=None, ge=0)
    time_elapsed_secs: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    executable: str | None = None
    graph: str | None = None
    log: str | None = Field(default=None, max_length=MOST_CHARACTERS_OF_A_LOG)
    version: str | None = None
    arguments: dict[str, Any] | None = None

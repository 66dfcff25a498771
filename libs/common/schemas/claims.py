"""Claims of jobs, and heartbeats."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodySchema, Schema
from libs.common.schemas.jobs import Job


class ClaimIn(BodySchema):
    """A worker's request for a job; it waits up to `wait_s`."""

    claim_id: UUID = Field(description="chosen by the worker: a repeated id gets the same job")
    worker: str = Field(min_length=1, max_length=200)
    tasks: list[str] = Field(min_length=1, max_length=100, description="names of the tasks it can run")
    site: str = Field(
        default="",
        max_length=200,
        description="where the worker is: an agent repository, its host or its lab. Jobs whose inputs are"
        " only there are assigned to no other worker",
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
    lease_s: float = Field(description="how long the lease lasts without a heartbeat")
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

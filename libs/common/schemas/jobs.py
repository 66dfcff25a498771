"""Jobs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from libs.common.schemas.attempts import Attempt
from libs.common.schemas.base import BodySchema, Schema
from libs.common.schemas.job_files import JobInput, JobOutput


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
    why: str = Field(description="why it is not running, in one sentence; empty for a running job")
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


class ReasonIn(BodySchema):
    """The reason, for other people."""

    reason: str = Field(min_length=1, max_length=1_000)

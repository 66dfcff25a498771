"""Attempts of jobs, how they end, and their logs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from libs.common.schemas.base import BodySchema, Schema
from libs.common.schemas.job_files import JobOutput


class Attempt(Schema):
    """One claim of a job."""

    token: int
    state: str
    worker: str
    started_at: datetime
    ended_at: datetime | None


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

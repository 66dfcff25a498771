"""Inputs and outputs of jobs."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodySchema, Schema


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

"""Inputs and outputs of jobs."""

from __future__ import annotations

from uuid import UUID

from pydantic import AliasChoices, Field, computed_field

from libs.common.schemas.base import BodySchema, Schema


class JobInput(Schema):
    """A dataset that a job reads: its path below the session, and the hash of the bytes."""

    relative_path: str = Field(validation_alias=AliasChoices("relative_path", "path"))
    dataset_id: UUID
    sha256: str

    @computed_field(
        description="the same as `relative_path`, until the next version",
        json_schema_extra={"deprecated": True},
    )
    def path(self) -> str:
        """What workers of the previous version read."""
        return self.relative_path


class JobOutput(BodySchema):
    """A file that a worker wrote and uploaded: its path below the session, its upload, and the hash of its bytes.

    Until the next version, `name` is accepted instead of `relative_path`.
    """

    relative_path: str = Field(
        min_length=1,
        max_length=512,
        validation_alias=AliasChoices("relative_path", "name"),
        examples=["alf/_cingulum_psychometric.fit.json"],
    )
    upload_id: UUID
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

"""Files on their way into the central store."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from libs.common.schemas.base import BodySchema, Schema
from libs.common.schemas.states import UploadState

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


LARGEST_BYTES = 10_000 * 64 * 2**20  # 10,000 parts of 64 MiB: 671 GB, eight hours of one probe


class UploadIn(BodySchema):
    """A file to be sent.

    Known    its size; with `sha256` the response may be that nothing needs to be sent
    Brings   `copy_id`, a copy that registry expects in the central store
    Output   `job_id` and `token` of a running attempt, whose completion then names this upload
    """

    size_bytes: int = Field(ge=0, le=LARGEST_BYTES)
    sha256: Sha256 | None = Field(
        default=None, description="null: the sender reads the file while sending it"
    )
    copy_id: UUID | None = None
    job_id: UUID | None = None
    token: int | None = Field(default=None, ge=0, lt=2**63)
    name: str = Field(default="", max_length=1_000, description="for people: which file it is")


class Upload(Schema):
    """An announced file, and the parts of it that are still missing."""

    id: UUID
    state: UploadState
    name: str
    size_bytes: int
    part_bytes: int = Field(description="size of each part but the last")
    part_count: int
    missing: list[int] = Field(description="numbers of the parts still to be sent, from 0")
    sha256: str | None = Field(description="as announced; once landed, as computed from the stored bytes")
    md5: str | None = Field(description="null until every byte has been read")
    copy_id: UUID | None
    job_id: UUID | None
    token: int | None
    created_at: datetime
    completed_at: datetime | None


class WholeIn(BodySchema):
    """The end of an upload: what all its bytes hash to."""

    sha256: Sha256

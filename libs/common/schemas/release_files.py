"""Files of releases, and who read them. Ours, not Alyx's."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodySchema, Schema
from libs.common.schemas.release_keys import Reason


class ReleaseFile(Schema):
    """A file of a release, as its manifest lists it."""

    path: str
    dataset: UUID
    version: int
    size_bytes: int | None
    sha256: str | None
    pulled_at: datetime | None = Field(description="its bytes are no longer served since")
    pulled_reason: str | None


class PullIn(BodySchema):
    """The request to pull one dataset of a release."""

    dataset: UUID
    reason: Reason = Field(description="public; those who read the file get it in a data notice")


class ReleaseRead(Schema):
    """How often a reader got bytes of a file on a day."""

    path: str
    dataset: UUID
    version: int
    sha256: str | None
    day: date = Field(description="UTC")
    user: str | None = Field(description="null: without an account")
    link: str | None = Field(description="label of the link that was used")
    count: int = Field(description="requests; a file that is read in ranges counts for each")
    last_read_at: datetime

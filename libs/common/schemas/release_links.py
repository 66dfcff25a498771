"""Links to releases that need no account. Ours, not Alyx's."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, Field

from libs.common.schemas.base import BodySchema, Schema


class ReleaseLinkIn(BodySchema):
    """A link to create."""

    label: str = Field(min_length=1, max_length=200, description="what it is for", examples=["reviewer 2"])
    expires_at: AwareDatetime = Field(description="at most a year from now")
    path: str | None = Field(
        default=None, description="one file of the release, as in its manifest; absent: all"
    )


class ReleaseLink(Schema):
    """A link without its address, which is shown once."""

    id: UUID
    label: str
    path: str | None
    created_by: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    uses: int = Field(description="how often the manifest or a file was opened by it")
    last_used_at: datetime | None


class NewReleaseLink(ReleaseLink):
    """A new link with its address: of the file, or of the release, whose `manifest` and `files/…` are below it."""

    url: str


class LinkedRelease(Schema):
    """What a link leads to."""

    name: str
    title: str
    description: str
    expires_at: datetime
    path: str | None

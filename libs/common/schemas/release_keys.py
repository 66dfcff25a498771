"""Public keys for signatures of releases. Ours, not Alyx's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from libs.common.schemas.base import BodySchema, Schema

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]


class ReleaseKeyIn(BodySchema):
    """A public key to add."""

    name: str = Field(min_length=1, max_length=100, description="of the person or lab that signs with it")
    public_key: str = Field(max_length=1_000, description="text of `minisign.pub`, or its second line")


class RevokeIn(BodySchema):
    """The request to revoke a key."""

    reason: Reason


class ReleaseKey(Schema):
    """A public key for signatures of releases."""

    id: UUID
    key_id: str
    public_key: str
    name: str
    created_at: datetime = Field(description="signatures count from then on")
    revoked_at: datetime | None
    revoked_reason: str | None

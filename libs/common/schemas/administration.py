"""What every service shows administrators: failed events, and its audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import Schema


class FailedEvent(Schema):
    """An event that this service received and has not handled."""

    event_id: UUID
    subject: str = Field(examples=["cingulum.transfer.upload.completed.v1"])
    payload: dict[str, Any] = Field(description="ids and hashes")
    key: str | None = Field(description="while it waits, later events with the same key wait behind it")
    said_at: datetime
    request_id: str = Field(description="id of the request that published it")
    failures: int = Field(description="failures of its handler; after five it is parked")
    transient: int = Field(
        description="consecutive failures because a database, a store or a network was unavailable"
    )
    error: str = Field(description="the last error; empty if it only waits behind another event")
    failed_at: datetime
    retry_at: datetime | None = Field(description="the next retry; null if it is parked")


class AuditEntry(Schema):
    """Who did what to which object; `before` and `after` hold only what changed."""

    id: int
    at: datetime
    user_id: UUID | None
    username: str
    action: str
    object_type: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str


class AuditCheck(Schema):
    """Whether the audit entries of a service are those that were written."""

    is_intact: bool
    first_broken_id: int | None = Field(
        description="the first entry that was changed, or follows a removed one; null if all are intact"
    )

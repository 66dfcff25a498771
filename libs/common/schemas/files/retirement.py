"""Whether a copy may be retired, and why not. Ours, not Alyx's."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from libs.common.schemas.base import BodySchema, Schema
from libs.common.schemas.states import CopyState


class Obstacle(StrEnum):
    """Why a copy may not be retired."""

    PROTECTED = "protected"  # a protected tag covers the dataset
    DELETED = "deleted"  # the dataset is deleted, and can be restored
    LEAVING = "leaving"  # it is retiring or retired already
    UNPROVED = "unproved"  # the copy itself is not verified: its bytes may exist nowhere else
    UNREAD = "unread"  # the version's SHA-256 is not known
    DOUBTED = "doubted"  # a companion contradicts the recording
    IN_USE = "in-use"  # a job reads it
    TOO_FEW = "too-few-copies"  # fewer verified copies would remain than required
    UNCOUNTED = "copy-does-not-count"  # another copy, and why it is not counted
    NO_FORM = "no-compressed-form"
    FORM_UNPROVED = "form-unproved"  # it was not decoded and compared
    OTHER_ORIGINAL = "other-original"  # it decodes to other bytes than these
    FORM_REPLACED = "form-replaced"  # its files are no longer those of the proof


class GroundKind(StrEnum):
    """What a decision can be based on."""

    SAME_BYTES = "same-bytes"
    COMPRESSED = "compressed-form"


class RetirementReason(Schema):
    """Why a copy may not be retired, and the next step."""

    obstacle: Obstacle
    text: str


class CountedCopy(Schema):
    """A copy that counts: verified recently enough, and in a separate location."""

    id: UUID
    repository: str
    proved_at: datetime


class RetirementGround(Schema):
    """Copies of the same bytes, or of a compressed form that was decoded to them."""

    kind: GroundKind
    dataset_id: UUID
    sha256: str | None
    suffices: bool
    counted: list[CountedCopy] = Field(description="copies that count; for a .cbin also those of its .ch")


class RetirementPolicy(Schema):
    """What must remain elsewhere."""

    copies: int = Field(description="verified copies, each in another location")
    shared: int = Field(description="minimum of these in repositories that are not personal")
    proof_days: int = Field(description="older proofs of a copy do not count")


class Retirement(Schema):
    """Whether a copy may be retired now; if not, every reason why."""

    copy_id: UUID
    dataset_id: UUID
    state: CopyState
    may_retire: bool
    reasons: list[RetirementReason]
    grounds: list[RetirementGround]
    policy: RetirementPolicy


class RetireIn(BodySchema):
    """The request to retire a copy."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)] = Field(
        description="stored in the audit log"
    )

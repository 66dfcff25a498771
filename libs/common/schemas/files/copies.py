"""Copies of datasets' versions and their proofs. Ours, not Alyx's."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from cingulum.stores import StoreKind
from libs.common.schemas.base import BodySchema, Schema
from libs.common.schemas.files.values import SizeBytes
from libs.common.schemas.states import CopyState


class Copy(Schema):
    """One version of a dataset in one repository, and its proof."""

    id: UUID
    dataset_id: UUID
    version_id: UUID
    generation: int = Field(description="number of the version; the dataset's latest unless `history` is set")
    is_current: bool
    session_id: UUID | None
    lab: str
    repository: str
    store: StoreKind | None
    state: CopyState
    relative_path: str = Field(description="lab/Subjects/…, or aggregates/…, without UUID")
    size_bytes: int | None = Field(description="as claimed by the client until the bytes have been read")
    md5: str | None
    sha256: str | None = Field(description="null until every byte has been read")
    proved_at: datetime | None
    proved_how: str
    notice: str = Field(description="why a proof failed; empty if none did")
    order_proof: bool = Field(description="a client claims that the file exists: it has to be read")


class CopyRead(BodySchema):
    """Size and digests of a file, from a full read."""

    size_bytes: SizeBytes
    md5: str = Field(pattern="^[0-9a-f]{32}$")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")

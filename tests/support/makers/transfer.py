"""Uploads."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from libs.common.schemas.states import UploadState
from services.transfer.models import UploadRow
from tests.support.makers.database import owner
from tests.support.system import Cingulum


async def make_upload(
    system: Cingulum,
    sha256: str,
    *,
    md5: str = "aa",
    size_bytes: int = 1,
    name: str = "",
    copy_id: UUID | None = None,
    job_id: UUID | None = None,
    token: int | None = None,
) -> UUID:
    """A landed upload."""
    upload_id, now = uuid4(), datetime.now(UTC)
    async with owner(system) as session:
        session.add(
            UploadRow(
                id=upload_id,
                owner_id=uuid4(),
                name=name,
                state=UploadState.LANDED,
                size_bytes=size_bytes,
                part_bytes=8 << 20,
                sha256=sha256,
                md5=md5,
                store="local",
                copy_id=copy_id,
                job_id=job_id,
                token=token,
                created_at=now,
                touched_at=now,
                completed_at=now,
            )
        )
    return upload_id


async def touch_upload(system: Cingulum, upload_id: str, at: datetime) -> None:
    """Something of an upload was received last at that time."""
    async with owner(system) as session:
        (await session.get_one(UploadRow, UUID(upload_id))).touched_at = at

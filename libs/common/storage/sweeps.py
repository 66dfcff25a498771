"""Abandoned uploads are discarded by every store in the same way."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from libs.common.storage.store import PendingUpload


class UploadStore(Protocol):
    """The part of a store that keeps parts of uploads."""

    async def uploads(self) -> list[PendingUpload]:
        """Uploads that hold parts."""

    async def discard(self, upload_id: UUID) -> bool:
        """Delete the parts of an upload."""


async def discard_old(store: UploadStore, before: datetime) -> list[UUID]:
    """Discard what was last written before that instant; the uploads' ids."""
    old = [upload.upload_id for upload in await store.uploads() if upload.touched_at < before]
    for upload_id in old:
        await store.discard(upload_id)
    return old

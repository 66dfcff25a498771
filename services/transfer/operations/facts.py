"""Events that several operations publish."""

from __future__ import annotations

from uuid import UUID

from cingulum.digests import Digests
from libs.common.events import UploadCompleted


def completed(upload_id: UUID, digests: Digests) -> UploadCompleted:
    """The event of an upload that has landed with these bytes."""
    return UploadCompleted(
        upload_id=upload_id, sha256=digests.sha256, md5=digests.md5, size_bytes=digests.size_bytes
    )

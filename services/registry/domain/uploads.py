"""Uploads."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cingulum.digests import Digests
from libs.common.schemas.states import UploadState


@dataclass(frozen=True)
class UploadFact:
    """An upload as transfer publishes it; `digests` once all its bytes were read."""

    id: UUID
    copy_id: UUID | None
    state: UploadState
    token: int | None
    digests: Digests | None

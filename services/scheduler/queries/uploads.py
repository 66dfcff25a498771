"""Uploads, which transfer owns."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession
from libs.common.published import UPLOADS, table
from libs.common.schemas.states import UploadState
from services.scheduler.domain.facts import UploadFact


async def fetch_uploads(session: ReadSession, ids: Sequence[UUID]) -> dict[UUID, UploadFact]:
    """The uploads with these ids."""
    uploads = table(UPLOADS)
    rows = await session.execute(sa.select(uploads).where(uploads.c.id.in_(ids)))
    return {
        row.id: UploadFact(row.id, UploadState(row.state), row.sha256, row.job_id, row.token) for row in rows
    }

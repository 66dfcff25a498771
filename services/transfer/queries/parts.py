"""Parts of uploads whose bytes are stored."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db.sessions import ReadSession, WriteSession
from services.transfer.domain import UploadPart
from services.transfer.models import PartRow


async def fetch_part(session: ReadSession, upload_id: UUID, number: int) -> dict[int, UploadPart]:
    """One part by number if it is stored: all that the arrival of that part needs to know of ten thousand."""
    row = await session.get(PartRow, (upload_id, number), populate_existing=True)
    return {} if row is None else {number: UploadPart(row.size_bytes, row.sha256)}


async def fetch_parts(session: ReadSession, upload_ids: Sequence[UUID]) -> dict[UUID, dict[int, UploadPart]]:
    """The stored parts of each upload, by number."""
    parts: dict[UUID, dict[int, UploadPart]] = {upload_id: {} for upload_id in upload_ids}
    columns = (PartRow.upload_id, PartRow.number, PartRow.size_bytes, PartRow.sha256)
    for row in await session.execute(sa.select(*columns).where(PartRow.upload_id.in_(upload_ids))):
        parts[row.upload_id][row.number] = UploadPart(row.size_bytes, row.sha256)
    return parts


async def insert_part(session: WriteSession, upload_id: UUID, number: int, part: UploadPart) -> None:
    """Insert a part; the same again changes nothing."""
    values = {"upload_id": upload_id, "number": number, "size_bytes": part.size_bytes, "sha256": part.sha256}
    await session.execute(insert(PartRow).values(values).on_conflict_do_nothing())


async def delete_parts(session: WriteSession, upload_id: UUID) -> None:
    """Delete all parts of an upload."""
    await session.execute(sa.delete(PartRow).where(PartRow.upload_id == upload_id))

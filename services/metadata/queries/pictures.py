"""Pictures of notes: which are stored, and which of them no note has."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import ReadSession, WriteSession
from services.metadata.models import NoteRow, PictureRow

KEPT: Final = timedelta(days=31)  # longer than a change of a note can be undone


async def announce_picture(session: WriteSession, sha256: str) -> None:
    """Insert a picture whose bytes are about to be stored; one that is stored is kept for `KEPT` again."""
    row = insert(PictureRow).values(sha256=sha256)
    await session.execute(
        row.on_conflict_do_update(
            index_elements=[PictureRow.sha256], set_={"announced_at": sa.func.clock_timestamp()}
        )
    )


async def find_and_lock_unused_picture(session: WriteSession) -> str | None:
    """The hash of a picture that no note, not even a deleted one, has and that was not sent lately; locked."""
    used = sa.exists().where(NoteRow.image_sha256 == PictureRow.sha256)
    sha256: str | None = await session.scalar(
        sa.select(PictureRow.sha256)
        .where(PictureRow.announced_at < sa.func.now() - KEPT, ~used)
        .order_by(PictureRow.announced_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return sha256


async def delete_picture(session: WriteSession, sha256: str) -> None:
    """Delete the row of a picture."""
    await session.execute(sa.delete(PictureRow).where(PictureRow.sha256 == sha256))


async def exists_path(session: ReadSession, path: str) -> bool:
    """Whether a note, deleted ones included, has a picture at this path."""
    return bool(await session.scalar(sa.select(sa.exists().where(NoteRow.image_path == path))))

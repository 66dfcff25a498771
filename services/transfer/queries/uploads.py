"""Uploads: the caller's own, one to be changed, new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.digests import Digests
from libs.common.db.clock import fetch_now
from libs.common.db.pages import fetch_page
from libs.common.db.sessions import ReadSession, WriteSession
from libs.common.permissions import Principal, reach_of
from libs.common.published import COPIES, DATASETS, JOBS, table
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.states import UploadState
from libs.common.scopes import Permission
from libs.common.targets import is_object_in_reach, is_session_in_reach
from libs.common.visibility import Visibility, visibility
from libs.common.visible import is_dataset_visible
from services.transfer.domain import AnnouncedUpload, UploadPart, part_bytes
from services.transfer.models import UploadRow
from services.transfer.queries.list_filters import UploadFilters
from services.transfer.queries.parts import fetch_part, fetch_parts

INSERT_BATCH = 250  # rows per statement: other requests get their turn in between


@dataclass(frozen=True)
class UploadRecord:
    """An upload as the rules know it, and what its owner sees besides."""

    upload: AnnouncedUpload
    name: str
    md5: str | None
    created_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True)
class LandedUpload:
    """A file whose bytes are stored and were read in full, to be inserted as a landed upload."""

    id: UUID
    owner_id: UUID
    name: str
    digests: Digests
    store: str
    copy_id: UUID | None = None
    job_id: UUID | None = None
    token: int | None = None


def is_own(by: Principal) -> sa.ColumnElement[bool]:
    """Uploads of the caller that the token in use reaches; administrators who signed in see all.

    An upload for a dataset that the caller cannot see (any more) is hidden: its bytes must not land either.
    """
    if by.is_superuser and by.scopes is None:
        return sa.true()
    mine = sa.and_(UploadRow.owner_id == by.user_id, ~_is_for_hidden(visibility(by)))
    reach = reach_of(by, Permission.TRANSFER)
    if reach is None:
        return mine
    copy, dataset, job = table(COPIES).alias(), table(DATASETS).alias(), table(JOBS).alias()
    of_object = is_object_in_reach(reach, dataset.c.content_type, dataset.c.object_id)
    of_copy = sa.exists().where(
        copy.c.id == UploadRow.copy_id,
        dataset.c.id == copy.c.dataset_id,
        sa.or_(is_session_in_reach(reach, dataset.c.session_id), of_object),
    )
    of_job = sa.exists().where(job.c.id == UploadRow.job_id, is_session_in_reach(reach, job.c.session_id))
    return sa.and_(mine, sa.or_(of_copy.correlate_except(copy, dataset), of_job.correlate_except(job)))


def _is_for_hidden(visibility: Visibility) -> sa.ColumnElement[bool]:
    copy = table(COPIES).alias()
    is_hidden = ~is_dataset_visible(visibility, copy.c.dataset_id)
    return sa.exists().where(copy.c.id == UploadRow.copy_id, is_hidden).correlate_except(copy)


async def list_uploads(
    session: ReadSession, by: Principal, filters: UploadFilters, paging: PageRequest
) -> tuple[int, list[UploadRecord]]:
    """A page of the caller's uploads, newest first, and how many there are."""
    statement = (
        sa.select(UploadRow.__table__)
        .where(is_own(by), *filters.conditions(visibility(by)))
        .order_by(UploadRow.created_at.desc(), UploadRow.id)
    )
    count, mappings = await fetch_page(session, statement, paging)
    rows = [UploadRow(**mapping) for mapping in mappings]
    parts = await fetch_parts(session, [row.id for row in rows if row.state == UploadState.ARRIVING])
    return count, [record_of(row, parts.get(row.id, {})) for row in rows]


async def find_upload(
    session: ReadSession, upload_id: UUID, by: Principal, *, part: int | None = None
) -> UploadRecord | None:
    """One of the caller's uploads with its parts, or (of thousands) with the part of that number only."""
    row = await session.scalar(sa.select(UploadRow).where(UploadRow.id == upload_id, is_own(by)))
    if row is None:
        return None
    if part is None:
        return record_of(row, (await fetch_parts(session, [row.id]))[row.id])
    return record_of(row, await fetch_part(session, row.id, part))


async def lock_upload(session: WriteSession, upload_id: UUID) -> UploadRow:
    """The row as it is now, locked until the end of the transaction."""
    statement = sa.select(UploadRow).where(UploadRow.id == upload_id).with_for_update()
    return (await session.scalars(statement, execution_options={"populate_existing": True})).one()


def insert_upload(session: WriteSession, row: UploadRow) -> None:
    """Insert an announced upload."""
    session.add(row)


async def insert_landed_uploads(session: WriteSession, uploads: Sequence[LandedUpload]) -> None:
    """Insert uploads that have landed."""
    now = await fetch_now(session)
    rows = [_landed_values(upload, now) for upload in uploads]
    for start in range(0, len(rows), INSERT_BATCH):
        await session.execute(sa.insert(UploadRow), rows[start : start + INSERT_BATCH])


def _landed_values(upload: LandedUpload, now: datetime) -> Mapping[str, Any]:
    return {
        "id": upload.id,
        "owner_id": upload.owner_id,
        "name": upload.name,
        "state": str(UploadState.LANDED),
        "size_bytes": upload.digests.size_bytes,
        "part_bytes": part_bytes(upload.digests.size_bytes),
        "sha256": upload.digests.sha256,
        "md5": upload.digests.md5,
        "store": upload.store,
        "copy_id": upload.copy_id,
        "job_id": upload.job_id,
        "token": upload.token,
        "created_at": now,
        "touched_at": now,
        "completed_at": now,
    }


def upload_of(row: UploadRow, parts: Mapping[int, UploadPart]) -> AnnouncedUpload:
    """The row as the rules know it."""
    state = UploadState(row.state)
    has_landed = state is UploadState.LANDED and row.sha256 is not None and row.md5 is not None
    digests = Digests(size_bytes=row.size_bytes, sha256=str(row.sha256), md5=str(row.md5))
    return AnnouncedUpload(
        id=row.id,
        size_bytes=row.size_bytes,
        part_bytes=row.part_bytes,
        sha256=row.sha256,
        state=state,
        parts=parts,
        digests=digests if has_landed else None,
        job_id=row.job_id,
        token=row.token,
        copy_id=row.copy_id,
        touched_at=row.touched_at,
    )


def record_of(row: UploadRow, parts: Mapping[int, UploadPart]) -> UploadRecord:
    """The row as its owner sees it."""
    return UploadRecord(upload_of(row, parts), row.name, row.md5, row.created_at, row.completed_at)

"""Copies whose bytes were read, and the uploads that brought them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from cingulum.digests import Digests
from libs.common.db import ReadSession, WriteSession
from libs.common.permissions import Target
from libs.common.published import SESSIONS, UPLOADS, table
from libs.common.schemas.states import CopyState, UploadState
from libs.common.targets import fetch_dataset_target
from libs.common.visibility import Visibility
from services.registry.domain.copies import Version
from services.registry.domain.uploads import UploadFact
from services.registry.models import CopyRow, DatasetRow, RepositoryRow, VersionRow
from services.registry.models.expressions import path_in_folder
from services.registry.queries import visible
from services.registry.queries.bulk_writes import execute_write
from services.registry.queries.columns import is_version_of_copy


@dataclass(frozen=True)
class LockedCopy:
    """A copy, locked together with its version and its dataset.

    tree_name   where the bytes are shown in the readable tree
    is_current  whether they are the dataset's newest version
    """

    copy_id: UUID
    dataset_id: UUID
    session_id: UUID | None
    state: CopyState
    version: Version
    tree_name: str
    is_current: bool


@dataclass(frozen=True)
class CopyLocation:
    """The repository of a copy, and what its dataset belongs to."""

    repository_id: UUID
    repository: str
    store: str | None
    target: Target


async def fetch_uploads(session: ReadSession, upload_ids: Sequence[UUID]) -> dict[UUID, UploadFact]:
    """Uploads by id."""
    uploads = table(UPLOADS)
    rows = await session.execute(sa.select(uploads).where(uploads.c.id.in_(upload_ids)))
    return {
        row.id: UploadFact(
            id=row.id,
            copy_id=row.copy_id,
            state=UploadState(row.state),
            token=row.token,
            digests=Digests(size_bytes=row.size_bytes, sha256=row.sha256, md5=row.md5)
            if row.md5 and row.sha256
            else None,
        )
        for row in rows
    }


async def fetch_copies_of_object(session: ReadSession, store: str, sha256: str) -> Sequence[UUID]:
    """Copies whose bytes are one object of a store, in the order in which they are always locked."""
    copy_ids = (
        sa.select(CopyRow.id)
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .join(VersionRow, is_version_of_copy())
        .where(RepositoryRow.store == store, VersionRow.sha256 == sha256)
        .order_by(CopyRow.dataset_id, CopyRow.id)
    )
    return (await session.scalars(copy_ids)).all()


async def find_and_lock_copy(session: WriteSession, copy_id: UUID) -> LockedCopy | None:
    """The copy of that id, locked; None if it no longer exists."""
    rows = await session.execute(
        sa.select(
            CopyRow.id,
            CopyRow.state,
            CopyRow.dataset_id,
            DatasetRow.session_id,
            DatasetRow.lab_path,
            path_in_folder().label("relative_path"),
            (DatasetRow.generation == CopyRow.generation).label("is_current"),
            VersionRow.generation,
            VersionRow.size_bytes,
            VersionRow.md5,
            VersionRow.sha256,
        )
        .join(DatasetRow, DatasetRow.id == CopyRow.dataset_id)
        .join(VersionRow, is_version_of_copy())
        .where(CopyRow.id == copy_id)
        .with_for_update(of=(DatasetRow, VersionRow, CopyRow))
    )
    row = rows.one_or_none()
    if row is None:
        return None
    return LockedCopy(
        copy_id=row.id,
        dataset_id=row.dataset_id,
        session_id=row.session_id,
        state=CopyState(row.state),
        version=Version(row.generation, row.size_bytes, row.md5, row.sha256),
        tree_name=f"{row.lab_path}/{row.relative_path}",
        is_current=row.is_current,
    )


async def find_copy_location(
    session: ReadSession, visibility: Visibility, copy_id: UUID
) -> CopyLocation | None:
    """The location of a copy, if the caller can see it."""
    sessions = table(SESSIONS)
    rows = await session.execute(
        sa.select(
            RepositoryRow.store,
            RepositoryRow.name.label("repository"),
            CopyRow.repository_id,
            DatasetRow.session_id,
            DatasetRow.content_type,
            DatasetRow.object_id,
        )
        .select_from(CopyRow)
        .join(DatasetRow, DatasetRow.id == CopyRow.dataset_id)
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(CopyRow.id == copy_id, visible.is_dataset_visible(visibility))
    )
    row = rows.one_or_none()
    if row is None:
        return None
    target = await fetch_dataset_target(session, row.session_id, row.content_type, row.object_id)
    return CopyLocation(row.repository_id, row.repository, row.store, target)


async def update_version(session: WriteSession, dataset_id: UUID, version: Version) -> None:
    """Set the size and the digests of a version."""
    await execute_write(
        session,
        sa.update(VersionRow)
        .where(VersionRow.dataset_id == dataset_id, VersionRow.generation == version.generation)
        .values(size_bytes=version.size_bytes, md5=version.md5, sha256=version.sha256),
    )

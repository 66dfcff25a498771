"""What neighbours say of uploads and attempts, and what registry answered before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.published import ATTEMPTS, JOBS, LAB_REPOSITORIES, SESSIONS, UPLOADS, table
from libs.common.schemas.states import AttemptState, CopyState
from libs.common.visibility import Visibility
from services.registry.domain.copies import Version
from services.registry.models import CopyRow, DatasetRow, PublicationRow, RepositoryRow, VersionRow
from services.registry.queries import visible
from services.registry.queries.datasets import rel_path


@dataclass(frozen=True)
class Attempt:
    """One attempt of a job with what its worker handed in: [{name, upload_id, sha256}]."""

    job_id: UUID
    session_id: UUID | None
    state: AttemptState
    outputs: list[dict[str, str]]


@dataclass(frozen=True)
class Arrived:
    """The copy that an upload brings, locked together with its version and its dataset.

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


async def copies_by(read: AsyncSession, store: str, sha256: str) -> Sequence[UUID]:
    """Copies whose bytes are one object of a store, in the order in which all lock them."""
    found = (
        sa.select(CopyRow.id)
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .join(
            VersionRow,
            sa.and_(VersionRow.dataset_id == CopyRow.dataset_id, VersionRow.generation == CopyRow.generation),
        )
        .where(RepositoryRow.store == store, VersionRow.sha256 == sha256)
        .order_by(CopyRow.dataset_id, CopyRow.id)
    )
    return (await read.scalars(found)).all()


async def upload(read: AsyncSession, upload_id: UUID) -> Any:
    """What transfer says of an upload; None if it knows none of that id."""
    known = table(UPLOADS)
    return (await read.execute(sa.select(known).where(known.c.id == upload_id))).one_or_none()


async def uploads(read: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """What transfer says of uploads, by id."""
    known = table(UPLOADS)
    return {row.id: row for row in await read.execute(sa.select(known).where(known.c.id.in_(ids)))}


async def arrived(read: AsyncSession, copy_id: UUID) -> Arrived | None:
    """The copy of that id, locked; None if there is none any more."""
    found = await read.execute(
        sa.select(
            CopyRow.id,
            CopyRow.state,
            CopyRow.dataset_id,
            DatasetRow.session_id,
            DatasetRow.lab_path,
            rel_path().label("rel_path"),
            (DatasetRow.generation == CopyRow.generation).label("is_current"),
            VersionRow.generation,
            VersionRow.size_bytes,
            VersionRow.md5,
            VersionRow.sha256,
        )
        .join(DatasetRow, DatasetRow.id == CopyRow.dataset_id)
        .join(
            VersionRow,
            sa.and_(VersionRow.dataset_id == CopyRow.dataset_id, VersionRow.generation == CopyRow.generation),
        )
        .where(CopyRow.id == copy_id)
        .with_for_update(of=(DatasetRow, VersionRow, CopyRow))
    )
    row = found.one_or_none()
    if row is None:
        return None
    return Arrived(
        row.id,
        row.dataset_id,
        row.session_id,
        CopyState(row.state),
        Version(row.generation, row.size_bytes, row.md5, row.sha256),
        f"{row.lab_path}/{row.rel_path}",
        row.is_current,
    )


async def lock_token(read: AsyncSession, token: int) -> None:
    """Be alone with an attempt until the end of the transaction."""
    await read.execute(
        sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"token:{token}", 0)))
    )


async def answered(read: AsyncSession, token: int) -> PublicationRow | None:
    """What was answered to an attempt before."""
    return await read.get(PublicationRow, token)


async def attempt(read: AsyncSession, token: int) -> Attempt | None:
    """An attempt as scheduler shows it."""
    known, job = table(ATTEMPTS), table(JOBS)
    row = (
        await read.execute(
            sa.select(known, job.c.session_id)
            .join(job, job.c.id == known.c.job_id)
            .where(known.c.token == token)
        )
    ).one_or_none()
    if row is None:
        return None
    return Attempt(row.job_id, row.session_id, AttemptState(row.state), list(row.outputs or []))


async def central_repository(read: AsyncSession, kind: str, lab_id: UUID | None) -> RepositoryRow | None:
    """The repository that the central store's bytes belong to: the lab's own, else the first by name."""
    link = table(LAB_REPOSITORIES)
    of_lab = sa.exists().where(link.c.repository_id == RepositoryRow.id, link.c.lab_id == lab_id)
    found = await read.execute(
        sa.select(RepositoryRow)
        .where(RepositoryRow.store == kind)
        .order_by(of_lab.desc(), RepositoryRow.globus_is_personal, RepositoryRow.name)
        .limit(1)
    )
    return found.scalar_one_or_none()


async def place_of_copy(read: AsyncSession, seen: Visibility, copy_id: UUID) -> Any:
    """Where a copy the caller may know of lies, and what its dataset belongs to; None for others."""
    session = table(SESSIONS)
    found = await read.execute(
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
        .join(session, session.c.id == DatasetRow.session_id, isouter=True)
        .where(CopyRow.id == copy_id, visible.datasets(seen))
    )
    return found.one_or_none()

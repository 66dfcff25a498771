"""Copies of datasets' versions, and their states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.published import SESSIONS, table
from libs.common.schemas.files.copies import Copy
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.states import CopyState
from libs.common.threads import computed
from libs.common.visibility import Visibility
from services.registry.domain.copies import VersionCopy
from services.registry.models import CopyRow, DatasetRow, RepositoryRow, VersionRow
from services.registry.models.expressions import file_id, path_in_folder
from services.registry.queries import visible
from services.registry.queries.bulk_writes import execute_write
from services.registry.queries.columns import is_any_of, is_version_of_copy
from services.registry.queries.repositories import place_of


@dataclass(frozen=True)
class StoredCopy:
    """A copy with the id of its row, and what the copies of later versions share with it.

    file_id        id of the file record
    relative_path  None: as the dataset's own path
    """

    id: UUID
    copy: VersionCopy
    file_id: UUID
    relative_path: str | None = None


def _copies(visibility: Visibility) -> sa.Select[Any]:
    """Copies of every version with their proofs, oldest first."""
    sessions = table(SESSIONS)
    return (
        sa.select(
            CopyRow.id,
            CopyRow.dataset_id,
            VersionRow.id.label("version_id"),
            CopyRow.generation,
            (CopyRow.generation == DatasetRow.generation).label("is_current"),
            DatasetRow.session_id,
            sa.func.split_part(DatasetRow.lab_path, "/", 1).label("lab"),
            RepositoryRow.name.label("repository"),
            RepositoryRow.store,
            CopyRow.state,
            sa.func.concat(DatasetRow.lab_path, "/", path_in_folder()).label("relative_path"),
            VersionRow.size_bytes,
            VersionRow.md5,
            VersionRow.sha256,
            CopyRow.proved_at,
            CopyRow.proved_how,
            CopyRow.notice,
            CopyRow.order_proof,
        )
        .join(DatasetRow, DatasetRow.id == CopyRow.dataset_id)
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .join(VersionRow, is_version_of_copy())
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(visible.is_dataset_visible(visibility))
        .order_by(CopyRow.created_at, CopyRow.id)
    )


def _shown(row: Mapping[str, Any]) -> Copy:
    return Copy.model_validate(dict(row))


async def list_copies(
    session: ReadSession, visibility: Visibility, conditions: Iterable[Condition], paging: PageRequest
) -> tuple[int, list[Copy]]:
    """The number of copies that fulfil the conditions, and one page of them, oldest first."""
    count, rows = await fetch_page(session, _copies(visibility).where(*conditions), paging)
    return count, [_shown(row) for row in rows]


async def fetch_copy(session: ReadSession, visibility: Visibility, copy_id: UUID) -> Copy:
    """The copy of that id, which the caller can see."""
    rows = await session.execute(_copies(visibility).where(CopyRow.id == copy_id))
    return _shown(rows.mappings().one())


async def fetch_copies_of_datasets(
    session: ReadSession, dataset_ids: Sequence[UUID]
) -> dict[UUID, list[StoredCopy]]:
    """All copies of those datasets, of every version."""
    if not dataset_ids:
        return {}
    rows = await session.execute(
        sa.select(
            CopyRow.id,
            CopyRow.dataset_id,
            CopyRow.generation,
            CopyRow.state,
            file_id().label("file_id"),
            CopyRow.relative_path,
            RepositoryRow.name.label("repository"),
            RepositoryRow.store,
        )
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .where(is_any_of(CopyRow.dataset_id, dataset_ids))
        .order_by(CopyRow.generation, RepositoryRow.name)
    )
    copies = rows.all()
    return await computed(len(copies), lambda: _by_dataset(copies))


def _by_dataset(rows: Iterable[Any]) -> dict[UUID, list[StoredCopy]]:
    copies: dict[UUID, list[StoredCopy]] = {}
    for row in rows:
        copy = VersionCopy(row.repository, place_of(row.store), row.generation, CopyState(row.state))
        copies.setdefault(row.dataset_id, []).append(StoredCopy(row.id, copy, row.file_id, row.relative_path))
    return copies


async def update_copy(session: WriteSession, copy_id: UUID, **values: object) -> None:
    """Set columns of a copy."""
    await execute_write(session, sa.update(CopyRow).where(CopyRow.id == copy_id).values(values))


async def update_retiring_copy(session: WriteSession, copy_id: UUID, state: CopyState) -> bool:
    """Give a retiring copy another state and order its proof; False if it is not retiring."""
    rows = await execute_write(
        session,
        sa.update(CopyRow)
        .where(CopyRow.id == copy_id, CopyRow.state == CopyState.RETIRING)
        .values(state=str(state), order_proof=True)
        .returning(CopyRow.id),
    )
    return rows.first() is not None

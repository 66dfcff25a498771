"""File records: copies of datasets' current versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.published import SESSIONS, table
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.registry.models import CopyRow, DatasetRow, RepositoryRow
from services.registry.models.expressions import is_shown, path_in_folder
from services.registry.queries import visible
from services.registry.queries.columns import GONE, is_current_copy, session_folder


@dataclass(frozen=True)
class ShownFile:
    """Everything that a file record shows."""

    id: UUID
    dataset_id: UUID
    json: object
    data_repository: str
    exists: bool
    folder: str
    relative_path: str


def _files(visibility: Visibility) -> sa.Select[Any]:
    """File records, newest first."""
    sessions = table(SESSIONS)
    return (
        sa.select(
            CopyRow.id,
            CopyRow.dataset_id,
            CopyRow.json,
            RepositoryRow.name.label("data_repository"),
            is_shown().label("exists"),
            session_folder().label("folder"),
            path_in_folder().label("relative_path"),
        )
        .join(DatasetRow, is_current_copy())
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(visible.is_dataset_visible(visibility), CopyRow.state.not_in(GONE))
        .order_by(CopyRow.created_at.desc(), CopyRow.id)
    )


def _shown(row: Mapping[str, Any]) -> ShownFile:
    return ShownFile(**row)


async def list_files(
    session: ReadSession, visibility: Visibility, conditions: Iterable[Condition], paging: PageRequest
) -> tuple[int, list[ShownFile]]:
    """The number of file records that fulfil the conditions, and one page of them, newest first."""
    count, rows = await fetch_page(session, _files(visibility).where(*conditions), paging)
    return count, [_shown(row) for row in rows]


async def find_file(session: ReadSession, visibility: Visibility, file_id: UUID) -> ShownFile | None:
    """The file record of that id, if the caller can see it."""
    rows = await session.execute(_files(visibility).where(CopyRow.id == file_id))
    row = rows.mappings().one_or_none()
    return None if row is None else _shown(row)


async def find_dataset_id_of_copy(session: ReadSession, copy_id: UUID) -> UUID | None:
    """The dataset of a copy; None if there is no such copy."""
    dataset_id: UUID | None = await session.scalar(sa.select(CopyRow.dataset_id).where(CopyRow.id == copy_id))
    return dataset_id


async def lock_copy_row(session: WriteSession, copy_id: UUID) -> CopyRow:
    """A copy that exists, locked; its dataset is locked before."""
    return await session.get_one(CopyRow, copy_id, with_for_update=True, populate_existing=True)


async def find_copy_id(
    session: ReadSession, dataset_id: UUID, repository_id: UUID, generation: int
) -> UUID | None:
    """The id of a version's copy in a repository."""
    copy_id: UUID | None = await session.scalar(
        sa.select(CopyRow.id).where(
            CopyRow.dataset_id == dataset_id,
            CopyRow.repository_id == repository_id,
            CopyRow.generation == generation,
        )
    )
    return copy_id

"""File records: copies of datasets' current versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf import path_below_subjects
from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.published import SESSIONS, table
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.registry.models import CopyRow, DatasetRow, RepositoryRow
from services.registry.models.expressions import file_id, is_shown, path_in_folder
from services.registry.queries import visible
from services.registry.queries.columns import GONE, is_current_copy, is_of_file, path_of_copy, session_folder


@dataclass(frozen=True)
class ShownFile:
    """Everything that a file record shows."""

    id: UUID
    dataset_id: UUID
    json: object
    data_repository: str
    exists: bool
    relative_path: str


def _files(visibility: Visibility) -> sa.Select[Any]:
    """File records, newest first."""
    sessions = table(SESSIONS)
    return (
        sa.select(
            file_id().label("id"),
            CopyRow.dataset_id,
            CopyRow.json,
            RepositoryRow.name.label("data_repository"),
            is_shown().label("exists"),
            path_of_copy().label("relative_path"),
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


async def find_file(session: ReadSession, visibility: Visibility, record_id: UUID) -> ShownFile | None:
    """The file record of that id, if the caller can see it."""
    rows = await session.execute(_files(visibility).where(is_of_file(record_id)))
    row = rows.mappings().one_or_none()
    return None if row is None else _shown(row)


async def find_copy_of_file(session: ReadSession, record_id: UUID) -> tuple[UUID, UUID] | None:
    """The ids of the dataset and of its current version's copy; None if there is no such record."""
    rows = await session.execute(
        sa.select(CopyRow.dataset_id, CopyRow.id)
        .join(DatasetRow, is_current_copy())
        .where(is_of_file(record_id))
    )
    row = rows.one_or_none()
    return None if row is None else (row.dataset_id, row.id)


async def fetch_own_place(session: ReadSession, dataset: DatasetRow) -> tuple[str, str]:
    """The folder of a dataset's session, and the dataset's path below the folder of subjects."""
    sessions = table(SESSIONS)
    rows = await session.execute(
        sa.select(session_folder(), path_in_folder())
        .select_from(DatasetRow)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(DatasetRow.id == dataset.id)
    )
    folder, inside = rows.one()
    return folder, path_below_subjects(folder, inside)


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

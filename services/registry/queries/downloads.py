"""Counters of downloads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cingulum.alf.spelling import normal
from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.naming import has_any_id_or_name, ids_by_text
from libs.common.db.pages import fetch_page
from libs.common.permissions import Target
from libs.common.problem import UnknownReference
from libs.common.published import PROJECTS, SESSIONS, USERS, table
from libs.common.schemas.files.downloads import Download
from libs.common.schemas.pages import PageRequest
from libs.common.targets import fetch_object_target, fetch_session_targets
from libs.common.visibility import Visibility
from libs.common.visible import is_project_row_visible
from services.registry.models import DatasetRow, DatasetTypeRow, DownloadProjectRow, DownloadRow
from services.registry.queries import visible
from services.registry.queries.bulk_writes import execute_write, insert_rows


@dataclass(frozen=True)
class Counter:
    """A counter after one more download."""

    id: UUID
    count: int


def username() -> sa.ColumnElement[str]:
    """Username, or the id of a deleted user."""
    users = table(USERS)
    return sa.func.coalesce(users.c.username, sa.cast(DownloadRow.user_id, sa.Text))


def _downloads(visibility: Visibility, user_id: UUID | None) -> sa.Select[Any]:
    """Counters of visible datasets, the greatest first; of one user, or (None) of all."""
    users, sessions = table(USERS), table(SESSIONS)
    statement = (
        sa.select(
            DownloadRow.id,
            username().label("user"),
            DownloadRow.dataset_id.label("dataset"),
            DownloadRow.count,
            DownloadRow.json,
        )
        .join(DatasetRow, DatasetRow.id == DownloadRow.dataset_id)
        .join(DatasetTypeRow, DatasetTypeRow.id == DatasetRow.dataset_type_id)
        .join(users, users.c.id == DownloadRow.user_id, isouter=True)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(visible.is_dataset_visible(visibility))
        .order_by(DownloadRow.count.desc(), DownloadRow.id)
    )
    return statement if user_id is None else statement.where(DownloadRow.user_id == user_id)


async def list_downloads(
    session: ReadSession,
    visibility: Visibility,
    user_id: UUID | None,
    conditions: Iterable[Condition],
    paging: PageRequest,
) -> tuple[int, list[Download]]:
    """The number of counters that fulfil the conditions, and one page of them, the greatest first."""
    count, rows = await fetch_page(session, _downloads(visibility, user_id).where(*conditions), paging)
    return count, [Download.model_validate(row) for row in rows]


async def find_download(
    session: ReadSession, visibility: Visibility, user_id: UUID | None, download_id: UUID
) -> Download | None:
    """The counter of that id, if the caller can see it; of one user, or (None) of all."""
    statement = _downloads(visibility, user_id).where(DownloadRow.id == download_id)
    row = (await session.execute(statement)).mappings().one_or_none()
    return None if row is None else Download.model_validate(dict(row))


async def lock_download(session: WriteSession, download_id: UUID) -> DownloadRow:
    """The row of a counter, locked for a change."""
    return await session.get_one(DownloadRow, download_id, with_for_update=True)


async def insert_downloads(
    session: WriteSession, user_id: UUID, dataset_ids: Sequence[UUID]
) -> dict[UUID, Counter]:
    """Count one more download of each dataset; the counters by dataset."""
    if not dataset_ids:
        return {}
    rows = [{"id": uuid4(), "user_id": user_id, "dataset_id": dataset_id} for dataset_id in dataset_ids]
    statement = (
        insert(DownloadRow)
        .values(rows)
        .on_conflict_do_update(
            index_elements=["user_id", "dataset_id"], set_={"count": DownloadRow.count + 1}
        )
        .returning(DownloadRow.dataset_id, DownloadRow.id, DownloadRow.count.label("n"))
    )
    counters = await execute_write(session, statement)
    return {row.dataset_id: Counter(row.id, row.n) for row in counters}


async def fetch_project_ids(session: ReadSession, visibility: Visibility, names: Sequence[str]) -> list[UUID]:
    """The projects of those names, which the caller can see. Raises UnknownReference."""
    project, names = table(PROJECTS), [normal(name) for name in names]
    rows = await session.execute(
        sa.select(project.c.name, project.c.id).where(
            has_any_id_or_name(project.c.id, project.c.name, names),
            is_project_row_visible(visibility, project.c.id, project.c.is_private),
        )
    )
    ids = ids_by_text([(row.name, row.id) for row in rows], names)
    for name in names:
        if name not in ids:
            raise UnknownReference("projects", name)
    return list(dict.fromkeys(ids.values()))


async def insert_download_projects(
    session: WriteSession, download_ids: Sequence[UUID], project_ids: Sequence[UUID]
) -> None:
    """Add the projects for which datasets were downloaded; those of before stay."""
    rows = [
        {"download_id": download_id, "project_id": project_id}
        for download_id in download_ids
        for project_id in project_ids
    ]
    await insert_rows(session, DownloadProjectRow, rows, or_ignore=True)


async def fetch_targets_of_datasets(session: ReadSession, dataset_ids: Sequence[UUID]) -> list[Target]:
    """What those datasets belong to, each once: decides whether a token may count their downloads."""
    rows = (
        await session.execute(
            sa.select(DatasetRow.session_id, DatasetRow.content_type, DatasetRow.object_id)
            .where(DatasetRow.id.in_(dataset_ids))
            .distinct()
        )
    ).all()
    sessions = await fetch_session_targets(session, [row.session_id for row in rows if row.session_id])
    return [
        sessions.get(row.session_id, Target())
        if row.session_id
        else await fetch_object_target(session, row.content_type, row.object_id)
        for row in rows
    ]

"""Copies that server repositories lack."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.published import SESSIONS, table
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from services.registry.models import CopyRow, DatasetRow, RepositoryRow
from services.registry.models.expressions import is_shown
from services.registry.queries import visible
from services.registry.queries.bulk_writes import execute_write
from services.registry.queries.columns import GONE, is_any_of, is_current_copy, path_of_copy

MOST: Final = 10_000  # of one answer


@dataclass(frozen=True)
class MissingCopy:
    """A copy of the newest version of a dataset that a server repository lacks."""

    id: UUID
    dataset_id: UUID
    session_id: UUID | None
    content_type: str | None
    object_id: UUID | None
    repository: str
    relative_path: str


def _missing_copies(visibility: Visibility, *conditions: Condition) -> sa.Select[Any]:
    sessions = table(SESSIONS)
    columns: list[Any] = [
        CopyRow.id,
        CopyRow.dataset_id,
        DatasetRow.session_id,
        DatasetRow.content_type,
        DatasetRow.object_id,
        RepositoryRow.name.label("repository"),
        path_of_copy().label("relative_path"),
    ]
    return (
        sa.select(*columns)
        .join(DatasetRow, is_current_copy())
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(
            visible.is_dataset_visible(visibility), RepositoryRow.globus_is_personal.is_(False), *conditions
        )
        .where(~is_shown(), CopyRow.state.not_in(GONE))
        .order_by(CopyRow.created_at, CopyRow.id)
        .limit(MOST)
    )


async def list_missing_paths(session: ReadSession, visibility: Visibility) -> tuple[int, list[str]]:
    """The paths of files that a server repository lacks, those registered first; and how many there are."""
    statement = _missing_copies(visibility)
    count = await session.scalar(sa.select(sa.func.count()).select_from(statement.limit(None).subquery()))
    return count or 0, [row.relative_path for row in await session.execute(statement)]


async def list_missing_copies(session: ReadSession, visibility: Visibility) -> list[MissingCopy]:
    """The missing copies whose bytes this system can read once they are there."""
    rows = await session.execute(_missing_copies(visibility, RepositoryRow.store.is_not(None)))
    return [MissingCopy(**row) for row in rows.mappings()]


async def update_missing_copies(session: WriteSession, ids: Collection[UUID]) -> None:
    """Expect lost and suspect copies again; a suspect one may be there, and is read. Others stay as they are."""
    for state in (CopyState.LOST, CopyState.SUSPECT):
        await execute_write(
            session,
            sa.update(CopyRow)
            .where(is_any_of(CopyRow.id, ids), CopyRow.state == state)
            .values(state=str(CopyState.EXPECTED), order_proof=state is CopyState.SUSPECT, notice=""),
        )

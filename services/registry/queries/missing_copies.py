"""Copies that server repositories lack."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
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
Position = tuple[bool, datetime, UUID]


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
    is_expected: bool
    created_at: datetime

    @property
    def position(self) -> Position:
        """Where it is among all missing copies, those that are not expected yet first."""
        return self.is_expected, self.created_at, self.id


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
        CopyRow.created_at,
        _is_expected().label("is_expected"),
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


def _is_expected() -> sa.ColumnElement[bool]:
    """Nothing has to change before it is sent or read."""
    return CopyRow.state.not_in((CopyState.LOST, CopyState.SUSPECT))


async def list_missing_copies(
    session: ReadSession, visibility: Visibility, after: Position | None = None
) -> list[MissingCopy]:
    """The missing copies whose bytes this system can read once they are there: a page of them after a position.

    Lost and suspect ones first, then those registered first.
    """
    place = sa.tuple_(_is_expected(), CopyRow.created_at, CopyRow.id)
    conditions = [RepositoryRow.store.is_not(None), *([] if after is None else [place > sa.tuple_(*after)])]
    statement = _missing_copies(visibility, *conditions).order_by(None)
    rows = await session.execute(statement.order_by(_is_expected(), CopyRow.created_at, CopyRow.id))
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

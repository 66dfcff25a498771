"""Counters of downloads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.published import SESSIONS, USERS, table
from libs.common.visibility import Visibility
from services.registry.models import DatasetRow, DatasetTypeRow, DownloadRow
from services.registry.queries import visible


def username() -> Any:
    """The person's name; of one who is gone, the id."""
    users = table(USERS)
    return sa.func.coalesce(users.c.username, sa.cast(DownloadRow.user_id, sa.Text))


def downloads(seen: Visibility, of_user: UUID | None) -> sa.Select[Any]:
    """Counters of visible datasets, the greatest first; of one person, or (None) of everybody."""
    users, session = table(USERS), table(SESSIONS)
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
        .join(session, session.c.id == DatasetRow.session_id, isouter=True)
        .where(visible.datasets(seen))
        .order_by(DownloadRow.count.desc(), DownloadRow.id)
    )
    return statement if of_user is None else statement.where(DownloadRow.user_id == of_user)

"""Which datasets a new release has."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession
from libs.common.db.conditions import Condition
from libs.common.problem import UnknownReference
from libs.common.published import SESSIONS, table
from libs.common.visibility import Visibility
from libs.common.visible import is_session_row_visible
from services.registry.models import DatasetRow, TagRow
from services.registry.queries import visible
from services.registry.queries.columns import is_any_of


async def fetch_chosen_datasets(
    session: ReadSession,
    visibility: Visibility,
    *,
    dataset_ids: Collection[UUID],
    session_ids: Collection[UUID],
    tag: str | None,
    search: Sequence[Condition],
) -> list[UUID]:
    """Datasets by id, default revisions of sessions, visible ones of a tag and of a search. Raises UnknownReference."""
    sessions = table(SESSIONS)
    chosen = sa.or_(
        is_any_of(DatasetRow.id, dataset_ids),
        sa.and_(is_any_of(DatasetRow.session_id, session_ids), DatasetRow.is_default),
        visible.has_tag(TagRow.name == tag) if tag is not None else sa.false(),
        sa.and_(*search) if search else sa.false(),
    )
    rows = await session.scalars(
        sa.select(DatasetRow.id)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(chosen, visible.is_dataset_visible(visibility))
        .order_by(DatasetRow.id)
    )
    ids = list(rows)
    _check_all("datasets", dataset_ids, set(ids))
    if session_ids:
        shown = sa.select(sessions.c.id).where(
            is_any_of(sessions.c.id, session_ids),
            is_session_row_visible(visibility, sessions.c.id, sessions.c.lab_id),
        )
        _check_all("sessions", session_ids, set(await session.scalars(shown)))
    if tag is not None and await session.scalar(sa.select(TagRow.id).where(TagRow.name == tag)) is None:
        raise UnknownReference("tag", tag)
    return ids


def _check_all(field: str, row_ids: Collection[UUID], shown: Collection[Any]) -> None:
    for row_id in row_ids:
        if row_id not in shown:
            raise UnknownReference(field, row_id, key="pk")

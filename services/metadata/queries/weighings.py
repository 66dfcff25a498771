"""Weighings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession
from libs.common.db.pages import fetch_page
from libs.common.problem import NotFound
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.weighings import Weighing
from libs.common.visibility import Visibility
from services.metadata.domain.repeats import Stored
from services.metadata.models import LabRow, SubjectRow, UserRow, WeighingRow
from services.metadata.queries import visible
from services.metadata.queries.list_filters.weighings import WeighingFilters


def _select_weighings(visibility: Visibility, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(
            *WeighingRow.__table__.columns,
            SubjectRow.nickname.label("subject"),
            UserRow.username.label("user"),
        )
        .join(SubjectRow, SubjectRow.id == WeighingRow.subject_id)
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .join(UserRow, UserRow.id == WeighingRow.user_id, isouter=True)
        .where(WeighingRow.deleted_at.is_(None), visible.is_subject_visible(visibility), *conditions)
        .order_by(WeighingRow.date_time_at.desc(), WeighingRow.id)
    )


def _weighing(row: Mapping[str, Any], base_url: str) -> Weighing:
    return Weighing.model_validate({**row, "url": f"{base_url}/weighings/{row['id']}"})


async def list_weighings(
    session: ReadSession, visibility: Visibility, filters: WeighingFilters, paging: PageRequest, base_url: str
) -> tuple[int, list[Weighing]]:
    """A page of weighings, newest first, and the count of all."""
    statement = _select_weighings(visibility, *filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [_weighing(row, base_url) for row in rows]


async def fetch_weighings_of_subject(
    session: ReadSession, visibility: Visibility, subject_id: UUID, base_url: str
) -> list[Weighing]:
    """All weighings of a subject, newest first."""
    rows = await session.execute(_select_weighings(visibility, WeighingRow.subject_id == subject_id))
    return [_weighing(row, base_url) for row in rows.mappings()]


async def fetch_weighing(
    session: ReadSession, visibility: Visibility, weighing_id: UUID, base_url: str
) -> Weighing:
    """One weighing. Raises NotFound."""
    rows = await session.execute(_select_weighings(visibility, WeighingRow.id == weighing_id))
    row = rows.mappings().first()
    if row is None:
        raise NotFound(f"There is no weighing {weighing_id}.")
    return _weighing(row, base_url)


async def fetch_weighings_between(
    session: ReadSession, subject_id: UUID, first: datetime, last: datetime
) -> list[Stored]:
    """The weighings of a subject from one time to another, those that were created first at the front."""
    row = WeighingRow
    rows = await session.execute(
        sa.select(row.id, row.created_at, row.date_time_at, row.weight)
        .where(row.subject_id == subject_id, row.deleted_at.is_(None), row.date_time_at.between(first, last))
        .order_by(row.created_at, row.id)
    )
    return [Stored(stored[0], stored[1], stored[2], tuple(stored[3:])) for stored in rows]


async def find_last_weight(
    session: ReadSession, subject_id: UUID, after: datetime, until: datetime
) -> float | None:
    """The weight of the last weighing after one instant and until another."""
    weight: float | None = await session.scalar(
        sa.select(WeighingRow.weight)
        .where(
            WeighingRow.subject_id == subject_id,
            WeighingRow.deleted_at.is_(None),
            WeighingRow.date_time_at > after,
            WeighingRow.date_time_at <= until,
        )
        .order_by(WeighingRow.date_time_at.desc())
        .limit(1)
    )
    return weight

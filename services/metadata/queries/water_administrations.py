"""Water administrations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import AnySession, ReadSession
from libs.common.db.json_pages import per_caller, request_value
from libs.common.db.pages import fetch_page
from libs.common.db.prepared import fetch_rows
from libs.common.problem import NotFound
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.session_detail import SessionWater
from libs.common.schemas.water_administrations import WaterAdministration
from libs.common.visibility import Visibility
from services.metadata.domain.repeats import Stored
from services.metadata.models import LabRow, SubjectRow, UserRow, WaterAdministrationRow
from services.metadata.queries import visible
from services.metadata.queries.list_filters.water_administrations import WaterAdministrationFilters
from services.metadata.queries.subselects import WaterType


def _select_waters(visibility: Visibility, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    columns = [column for column in WaterAdministrationRow.__table__.columns if column.name != "session_id"]
    return (
        sa.select(
            *columns,
            visible.session_id(visibility, WaterAdministrationRow.session_id).label("session"),
            SubjectRow.nickname.label("subject"),
            UserRow.username.label("user"),
            WaterType.name.label("water_type"),
        )
        .join(SubjectRow, SubjectRow.id == WaterAdministrationRow.subject_id)
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .join(UserRow, UserRow.id == WaterAdministrationRow.user_id, isouter=True)
        .join(WaterType, WaterType.id == WaterAdministrationRow.water_type_id, isouter=True)
        .where(
            WaterAdministrationRow.deleted_at.is_(None), visible.is_subject_visible(visibility), *conditions
        )
        .order_by(WaterAdministrationRow.date_time_at.desc(), WaterAdministrationRow.id)
    )


def _water(row: Mapping[str, Any], base_url: str) -> WaterAdministration:
    return WaterAdministration.model_validate({**row, "url": f"{base_url}/water-administrations/{row['id']}"})


async def list_water_administrations(
    session: ReadSession,
    visibility: Visibility,
    filters: WaterAdministrationFilters,
    paging: PageRequest,
    base_url: str,
) -> tuple[int, list[WaterAdministration]]:
    """A page of water administrations, newest first, and the count of all."""
    statement = _select_waters(visibility, *filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [_water(row, base_url) for row in rows]


async def fetch_waters_of_subject(
    session: ReadSession, visibility: Visibility, subject_id: UUID, base_url: str
) -> list[WaterAdministration]:
    """All water administrations of a subject, newest first."""
    rows = await session.execute(_select_waters(visibility, WaterAdministrationRow.subject_id == subject_id))
    return [_water(row, base_url) for row in rows.mappings()]


async def fetch_waters_of_session(
    session: AnySession, visibility: Visibility, session_id: UUID
) -> list[SessionWater]:
    """Water given in a session to subjects that the caller can see, oldest first."""
    rows = await fetch_rows(session, _select_of_session(visibility), session_id=session_id)
    return [SessionWater.model_validate({**row, "name": ""}) for row in rows]


@per_caller
def _select_of_session(visibility: Visibility) -> sa.Select[Any]:
    row = WaterAdministrationRow
    columns: list[Any] = [row.id, WaterType.name.label("water_type"), row.water_administered]
    return (
        sa.select(*columns)
        .join(WaterType, WaterType.id == row.water_type_id, isouter=True)
        .join(SubjectRow, SubjectRow.id == row.subject_id)
        .where(row.session_id == request_value("session_id", sa.Uuid()), row.deleted_at.is_(None))
        .where(visible.is_subject_visible(visibility))
        .order_by(row.date_time_at, row.id)
    )


async def fetch_waters_between(
    session: ReadSession, subject_id: UUID, first: datetime, last: datetime
) -> list[Stored]:
    """The water of a subject from one time to another, that which was created first at the front."""
    row = WaterAdministrationRow
    values: list[Any] = [row.session_id, row.water_administered, row.water_type_id, row.adlib]
    rows = await session.execute(
        sa.select(row.id, row.created_at, row.date_time_at, *values)
        .where(row.subject_id == subject_id, row.deleted_at.is_(None), row.date_time_at.between(first, last))
        .order_by(row.created_at, row.id)
    )
    return [Stored(stored[0], stored[1], stored[2], tuple(stored[3:])) for stored in rows]


async def fetch_water_administration(
    session: ReadSession, visibility: Visibility, water_id: UUID, base_url: str
) -> WaterAdministration:
    """One water administration. Raises NotFound."""
    rows = await session.execute(_select_waters(visibility, WaterAdministrationRow.id == water_id))
    row = rows.mappings().first()
    if row is None:
        raise NotFound(f"There is no water administration {water_id}.")
    return _water(row, base_url)

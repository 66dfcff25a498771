"""Water restrictions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.pages import fetch_page
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.states import ActionKind
from libs.common.schemas.water_restrictions import WaterRestriction
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, LabRow, SubjectRow
from services.metadata.queries import visible
from services.metadata.queries.list_filters.water_restrictions import WaterRestrictionFilters
from services.metadata.queries.subselects import WaterType

_IS_RESTRICTION = sa.and_(ActionRow.kind == ActionKind.WATER_RESTRICTION, ActionRow.deleted_at.is_(None))


def _select_restrictions(visibility: Visibility, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    columns: list[Any] = [
        ActionRow.id,
        SubjectRow.nickname.label("subject"),
        ActionRow.start_time,
        ActionRow.end_time,
        WaterType.name.label("water_type"),
        ActionRow.reference_weight,
    ]
    return (
        sa.select(*columns)
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .join(WaterType, WaterType.id == ActionRow.water_type_id, isouter=True)
        .where(_IS_RESTRICTION, visible.is_subject_visible(visibility), *conditions)
        .order_by(ActionRow.end_at.desc().nulls_first(), ActionRow.start_at.desc(), ActionRow.id)
    )


async def list_restrictions(
    session: ReadSession,
    visibility: Visibility,
    filters: WaterRestrictionFilters,
    paging: PageRequest,
    *,
    with_ids: bool,
) -> tuple[int, list[WaterRestriction]]:
    """A page of restrictions, open ones first, then newest first; and the count of all."""
    statement = _select_restrictions(visibility, *filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    hidden = set() if with_ids else {"id"}
    return count, [
        WaterRestriction.model_validate({name: row[name] for name in row.keys() - hidden}) for row in rows
    ]


async def fetch_restriction(
    session: ReadSession, visibility: Visibility, restriction_id: UUID
) -> WaterRestriction:
    """A restriction that exists and that the caller can see."""
    rows = await session.execute(_select_restrictions(visibility, ActionRow.id == restriction_id))
    return WaterRestriction.model_validate(rows.mappings().one())


async def lock_open_restrictions(session: WriteSession, subject_id: UUID) -> list[ActionRow]:
    """The restrictions of a subject that have no end, locked."""
    rows = await session.scalars(
        sa.select(ActionRow)
        .where(_IS_RESTRICTION, ActionRow.subject_id == subject_id, ActionRow.end_at.is_(None))
        .order_by(ActionRow.id)
        .with_for_update()
    )
    return list(rows)


async def find_latest_water_type(session: ReadSession, subject_id: UUID) -> UUID | None:
    """The water type of a subject's latest restriction that has one."""
    water_type_id: UUID | None = await session.scalar(
        sa.select(ActionRow.water_type_id)
        .where(_IS_RESTRICTION, ActionRow.subject_id == subject_id, ActionRow.water_type_id.is_not(None))
        .order_by(ActionRow.start_at.desc())
        .limit(1)
    )
    return water_type_id

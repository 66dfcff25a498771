"""Surgeries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession
from libs.common.db.pages import fetch_page
from libs.common.problem import NotFound
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.states import ActionKind
from libs.common.schemas.surgeries import Surgery
from libs.common.visibility import Visibility
from services.metadata.models import ActionProcedureRow, ActionRow, ActionUserRow, LabRow, SubjectRow
from services.metadata.queries import visible
from services.metadata.queries.list_filters.surgeries import SurgeryFilters
from services.metadata.queries.subselects import ids_of


def _select_surgeries(visibility: Visibility, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    user_ids = sa.select(ActionUserRow.user_id).where(ActionUserRow.action_id == ActionRow.id)
    procedure_ids = sa.select(ActionProcedureRow.procedure_id).where(
        ActionProcedureRow.action_id == ActionRow.id
    )
    return (
        sa.select(
            *ActionRow.__table__.columns,
            SubjectRow.nickname.label("subject"),
            ids_of(user_ids.order_by(ActionUserRow.user_id)).label("users"),
            ids_of(procedure_ids.order_by(ActionProcedureRow.procedure_id)).label("procedures"),
        )
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .where(ActionRow.kind == ActionKind.SURGERY, ActionRow.deleted_at.is_(None))
        .where(visible.is_subject_visible(visibility), *conditions)
        .order_by(ActionRow.start_at.desc(), ActionRow.id)
    )


def _surgery(row: Mapping[str, Any]) -> Surgery:
    named = {"lab": row["lab_id"], "location": row["location_id"], "name": ""}
    return Surgery.model_validate({**row, **named, "outcome_type": row["outcome_type"] or ""})


async def list_surgeries(
    session: ReadSession, visibility: Visibility, filters: SurgeryFilters, paging: PageRequest
) -> tuple[int, list[Surgery]]:
    """A page of surgeries, newest first, and the count of all."""
    statement = _select_surgeries(visibility, *filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [_surgery(row) for row in rows]


async def fetch_surgery(session: ReadSession, visibility: Visibility, surgery_id: UUID) -> Surgery:
    """One surgery. Raises NotFound."""
    rows = await session.execute(_select_surgeries(visibility, ActionRow.id == surgery_id))
    row = rows.mappings().first()
    if row is None:
        raise NotFound(f"There is no surgery {surgery_id}.")
    return _surgery(row)

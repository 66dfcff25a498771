"""The records of subjects that the welfare rules need."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from libs.common.db import ReadSession
from libs.common.schemas.states import ActionKind
from services.metadata.domain.welfare import (
    Records,
    RestrictionRecord,
    SurgeryRecord,
    WaterRecord,
    WeighingRecord,
)
from services.metadata.models import ActionRow, WaterAdministrationRow, WeighingRow


def _select_arrays(row: Any, subject_ids: Sequence[UUID], *columns: Any) -> sa.Select[Any]:
    """Columns of subjects' records as arrays, oldest first: one row per subject, not one per record."""
    order = (row.date_time_at, row.id)
    arrays = [sa.func.array_agg(aggregate_order_by(column, *order)) for column in columns]
    return (
        sa.select(row.subject_id, *arrays)
        .where(row.subject_id.in_(subject_ids), row.deleted_at.is_(None))
        .group_by(row.subject_id)
    )


def _select_actions(subject_ids: Sequence[UUID]) -> sa.Select[Any]:
    columns: list[Any] = [
        ActionRow.kind,
        ActionRow.subject_id,
        ActionRow.start_time,
        ActionRow.start_at,
        ActionRow.end_at,
        ActionRow.reference_weight,
        ActionRow.implant_weight,
    ]
    return (
        sa.select(*columns)
        .where(
            ActionRow.subject_id.in_(subject_ids),
            ActionRow.kind.in_((ActionKind.SURGERY, ActionKind.WATER_RESTRICTION)),
            ActionRow.deleted_at.is_(None),
        )
        .order_by(ActionRow.start_at, ActionRow.id)
    )


async def fetch_records(session: ReadSession, subject_ids: Sequence[UUID]) -> dict[UUID, Records]:
    """The records of subjects, each kind oldest first."""
    water = WaterAdministrationRow
    weighings = await session.execute(
        _select_arrays(WeighingRow, subject_ids, WeighingRow.date_time_at, WeighingRow.weight)
    )
    waters = await session.execute(
        _select_arrays(water, subject_ids, water.date_time_at, water.water_administered, water.session_id)
    )
    actions = await session.execute(_select_actions(subject_ids))
    # Tens of thousands of records: unpacking them here would block the event loop.
    return await asyncio.to_thread(_unpack, subject_ids, weighings.all(), waters.all(), actions.all())


def _unpack(
    subject_ids: Sequence[UUID], weighings: Sequence[Any], waters: Sequence[Any], actions: Sequence[Any]
) -> dict[UUID, Records]:
    weighings_of = {subject_id: list(map(WeighingRecord, *columns)) for subject_id, *columns in weighings}
    waters_of = {subject_id: list(map(WaterRecord, *columns)) for subject_id, *columns in waters}
    surgeries_of: dict[UUID, list[SurgeryRecord]] = {}
    restrictions_of: dict[UUID, list[RestrictionRecord]] = {}
    for action in actions:
        if action.kind == ActionKind.SURGERY:
            surgery = SurgeryRecord(action.start_at, action.implant_weight)
            surgeries_of.setdefault(action.subject_id, []).append(surgery)
        else:
            restriction = RestrictionRecord(
                action.start_time, action.start_at, action.end_at, action.reference_weight
            )
            restrictions_of.setdefault(action.subject_id, []).append(restriction)
    return {
        subject_id: Records(
            weighings_of.get(subject_id, []),
            waters_of.get(subject_id, []),
            surgeries_of.get(subject_id, []),
            restrictions_of.get(subject_id, []),
        )
        for subject_id in subject_ids
    }

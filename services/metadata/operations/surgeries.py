"""Surgeries."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from libs.common.db import Transaction
from libs.common.db.rows import update_row
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.schemas.states import ActionKind
from libs.common.schemas.surgeries import Surgery, SurgeryIn
from libs.common.visibility import Visibility
from services.metadata.domain.actions import is_death
from services.metadata.domain.bodies import check_not_sent
from services.metadata.domain.clock import parse_time
from services.metadata.domain.rights import check_keeps_access
from services.metadata.models import ActionRow
from services.metadata.operations.actions import (
    COMMON_FIELDS,
    Edit,
    common_values,
    edit_existing,
    edit_new,
    location_values,
    set_relations,
    write_action,
)
from services.metadata.operations.subjects import end_restrictions
from services.metadata.queries.actions import fetch_action_target
from services.metadata.queries.lock_order import lock_subject_of_action
from services.metadata.queries.subjects import lock_subject_by_id
from services.metadata.queries.surgeries import fetch_surgery

_STORED: Final = StoredFields(
    SurgeryIn, ActionRow, handled=COMMON_FIELDS | {"location", "procedures", "name"}
)


async def create_surgery(tx: Transaction, by: Principal, visibility: Visibility, body: SurgeryIn) -> Surgery:
    """Create a surgery; an acute or non-recovery one with an end is the subject's death."""
    edit = await edit_new(tx, by, visibility, ActionKind.SURGERY, body)
    return await _save(tx, by, visibility, body, edit)


async def update_surgery(
    tx: Transaction, by: Principal, visibility: Visibility, surgery_id: UUID, body: SurgeryIn
) -> Surgery:
    """Update a surgery; absent fields keep their value."""
    await lock_subject_of_action(tx.session, surgery_id)  # first: the surgery may be its death
    edit = await edit_existing(tx, by, visibility, ActionKind.SURGERY, surgery_id)
    return await _save(tx, by, visibility, body, edit)


async def _save(
    tx: Transaction, by: Principal, visibility: Visibility, body: SurgeryIn, edit: Edit
) -> Surgery:
    check_not_sent("name", body.name, "Surgeries have no names: describe them in `narrative`.")
    values = await common_values(tx, by, visibility, body, edit) | await location_values(tx, body)
    first = {"outcome_type": ""} if edit.row is None else {}
    row = await write_action(tx, edit, first | values | _STORED.values(body))
    if row.end_time and is_death(row.outcome_type, row.end_time, edit.subject.death_date):
        subject = await lock_subject_by_id(tx.session, row.subject_id)
        death = parse_time(row.end_time, edit.subject.zone, "end_time")
        await update_row(tx, "subject", subject, {"death_date": death.day})
        await end_restrictions(tx, subject)
    await set_relations(tx, visibility, row, body)
    check_keeps_access(by, edit.before, await fetch_action_target(tx.session, row))
    return await fetch_surgery(tx.session, visibility, row.id)

"""Water restrictions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.common.db import Transaction
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.schemas.states import ActionKind
from libs.common.schemas.water_restrictions import WaterRestriction, WaterRestrictionIn
from libs.common.visibility import Visibility
from services.metadata.domain.actions import REFERENCE_WINDOW, reference_weight_of
from services.metadata.domain.rights import check_keeps_access
from services.metadata.models import ActionRow
from services.metadata.operations.actions import (
    COMMON_FIELDS,
    Edit,
    common_values,
    edit_existing,
    edit_new,
    set_relations,
    write_action,
)
from services.metadata.queries import references
from services.metadata.queries.actions import fetch_action_target
from services.metadata.queries.references import Vocabulary
from services.metadata.queries.water_restrictions import fetch_restriction
from services.metadata.queries.weighings import find_last_weight

_STORED: Final = StoredFields(
    WaterRestrictionIn, ActionRow, handled=COMMON_FIELDS | {"water_type", "reference_weight"}
)


async def create_restriction(
    tx: Transaction, by: Principal, visibility: Visibility, body: WaterRestrictionIn
) -> WaterRestriction:
    """Create a water restriction.

    Without a reference weight it copies the last weighing of the seven days before its start.
    """
    edit = await edit_new(tx, by, visibility, ActionKind.WATER_RESTRICTION, body)
    return await _save(tx, by, visibility, body, edit)


async def update_restriction(
    tx: Transaction, by: Principal, visibility: Visibility, restriction_id: UUID, body: WaterRestrictionIn
) -> WaterRestriction:
    """Change a water restriction; an `end_time` ends it."""
    edit = await edit_existing(tx, by, visibility, ActionKind.WATER_RESTRICTION, restriction_id)
    return await _save(tx, by, visibility, body, edit)


async def _save(
    tx: Transaction, by: Principal, visibility: Visibility, body: WaterRestrictionIn, edit: Edit
) -> WaterRestriction:
    values = await common_values(tx, by, visibility, body, edit) | _STORED.values(body)
    if "water_type" in body.model_fields_set or edit.row is None:
        values["water_type_id"] = await references.fetch_term_id(
            tx.session, Vocabulary.WATER_TYPE, body.water_type or "Water", "water_type"
        )
    if body.reference_weight is not None:
        values["reference_weight"] = body.reference_weight
    elif edit.row is None or edit.row.reference_weight is None:
        values["reference_weight"] = reference_weight_of(await _last_weight(tx, edit, values))
    row = await write_action(tx, edit, values)
    await set_relations(tx, visibility, row, body)
    check_keeps_access(by, edit.before, await fetch_action_target(tx.session, row))
    return await fetch_restriction(tx.session, visibility, row.id)


async def _last_weight(tx: Transaction, edit: Edit, values: Mapping[str, Any]) -> float | None:
    start: datetime | None = values.get("start_at", edit.row and edit.row.start_at)
    if start is None:
        return None
    return await find_last_weight(tx.session, edit.subject.id, start - REFERENCE_WINDOW, start)

"""Chronic insertions: actions on a subject."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from libs.common.db import Transaction
from libs.common.db.rows import refuse_duplicate
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.schemas.chronic_insertions import ChronicInsertion, ChronicInsertionIn
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.names import check_new_name
from libs.common.schemas.states import ActionKind
from libs.common.visibility import Visibility
from services.metadata.domain.insertions import check_serials_match, check_subject_stays
from services.metadata.domain.rights import check_keeps_access
from services.metadata.models import ActionRow
from services.metadata.operations.actions import (
    COMMON_FIELDS,
    Edit,
    common_values,
    edit_existing,
    edit_new,
    location_values,
    lock_to_edit,
    set_relations,
    write_action,
)
from services.metadata.operations.deletions import delete_row
from services.metadata.queries import references
from services.metadata.queries.actions import fetch_action_target
from services.metadata.queries.chronic_insertions import fetch_chronic_insertion, fetch_serials

_KIND: Final = ActionKind.CHRONIC_INSERTION
_STORED: Final = StoredFields(
    ChronicInsertionIn, ActionRow, handled=COMMON_FIELDS | {"location", "procedures", "model"}
)


async def create_chronic_insertion(
    tx: Transaction, by: Principal, visibility: Visibility, body: ChronicInsertionIn, base_url: str
) -> ChronicInsertion:
    """Create a chronic insertion."""
    edit = await edit_new(tx, by, visibility, _KIND, body)
    return await _save(tx, by, visibility, body, edit, base_url)


async def update_chronic_insertion(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    chronic_insertion_id: UUID,
    body: ChronicInsertionIn,
    base_url: str,
) -> ChronicInsertion:
    """Update a chronic insertion; absent fields keep their value, and the subject never changes."""
    edit = await edit_existing(tx, by, visibility, _KIND, chronic_insertion_id)
    return await _save(tx, by, visibility, body, edit, base_url)


async def _save(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    body: ChronicInsertionIn,
    edit: Edit,
    base_url: str,
) -> ChronicInsertion:
    values = (
        await common_values(tx, by, visibility, body, edit)
        | await location_values(tx, body)
        | _STORED.values(body)
    )
    check_subject_stays(moves="subject_id" in values)
    await _check_name(tx, body, edit)
    if "model" in body.model_fields_set:
        known = await references.fetch_part_number(tx.session, body.model, "model") if body.model else None
        values["model"] = known
    if edit.row is not None and "serial" in values:
        check_serials_match(values["serial"], await fetch_serials(tx.session, edit.row.id))
    row = await write_action(tx, edit, values)
    await set_relations(tx, visibility, row, body)
    check_keeps_access(by, edit.before, await fetch_action_target(tx.session, row))
    return await fetch_chronic_insertion(tx.session, visibility, row.id, base_url)


async def _check_name(tx: Transaction, body: ChronicInsertionIn, edit: Edit) -> None:
    """Raises BadRequest and Conflict, as for insertions; those without a name are as many as they like."""
    current = edit.row.name if edit.row is not None else None
    if not body.name or body.name == current:
        return
    check_new_name("name", body.name, current)
    await refuse_duplicate_name(tx, edit.subject.id, body.name, edit.row.id if edit.row else None)


async def refuse_duplicate_name(
    tx: Transaction, subject_id: UUID, name: str, except_id: UUID | None = None
) -> None:
    """Raises Conflict if the subject has a chronic insertion of this name, or of another spelling of it."""
    within = {"subject_id": subject_id, "kind": _KIND}
    await refuse_duplicate(tx.session, ActionRow.name, name, within=within, except_id=except_id)


async def delete_chronic_insertion(
    tx: Transaction, by: Principal, visibility: Visibility, chronic_insertion_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a chronic insertion with its trajectories; its insertions stay."""
    row, _, _ = await lock_to_edit(tx, by, visibility, _KIND, chronic_insertion_id)
    return await delete_row(tx, by, visibility, _KIND, row, dry_run=dry_run)

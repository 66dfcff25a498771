"""Insertions: probes in sessions."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.rows import create_row, lock_by_id, refuse_duplicate, update_row
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.problem import NotFound, UnknownReference
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.insertions import Insertion, InsertionIn
from libs.common.schemas.names import check_new_name
from libs.common.schemas.states import ActionKind
from libs.common.visibility import Visibility
from services.metadata.domain.bodies import required
from services.metadata.domain.insertions import (
    check_datasets_unchanged,
    check_name_free,
    check_same_subject,
    check_serials_match,
)
from services.metadata.models import ActionRow, InsertionRow
from services.metadata.operations.actions import lock_named_session, lock_to_edit
from services.metadata.operations.deletions import delete_row
from services.metadata.queries import insertions as queries
from services.metadata.queries import references
from services.metadata.queries.actions import touch
from services.metadata.queries.lock_order import lock_with_parents

_STORED: Final = StoredFields(
    InsertionIn, InsertionRow, handled={"session", "model", "chronic_insertion", "datasets"}
)


async def create_insertion(
    tx: Transaction, by: Principal, visibility: Visibility, body: InsertionIn, base_url: str
) -> Insertion:
    """Create an insertion; a session has one of each name."""
    check_datasets_unchanged(body.datasets, [])
    session_id = required(body.session, "session")
    await lock_with_parents(tx.session, actions=[session_id, body.chronic_insertion])
    session = await lock_named_session(tx, by, visibility, session_id)
    name = required(body.name, "name")
    check_new_name("name", name)
    check_name_free(name, is_taken=await queries.exists_insertion(tx.session, session_id, name))
    await refuse_duplicate(tx.session, InsertionRow.name, name, within={"session_id": session_id})
    row = InsertionRow(id=uuid4(), session_id=session_id, serial="")
    values = await _values(tx, by, visibility, body, row, session) | {"session_id": session_id}
    for column, value in values.items():
        setattr(row, column, value)
    await create_row(tx, "insertion", row, values)
    return await queries.fetch_insertion(tx.session, visibility, row.id, base_url)


async def update_insertion(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    insertion_id: UUID,
    body: InsertionIn,
    base_url: str,
) -> Insertion:
    """Update an insertion; absent fields keep their value."""
    others = [body.session, body.chronic_insertion]
    await lock_with_parents(tx.session, actions=others, insertions=[insertion_id])
    row = await lock_insertion_to_edit(tx, by, visibility, insertion_id)
    if body.datasets is not None:
        shown = await queries.fetch_insertion(tx.session, visibility, insertion_id, base_url)
        check_datasets_unchanged(body.datasets, [dataset.id for dataset in shown.datasets])
    session = await lock_named_session(tx, by, visibility, body.session or row.session_id)
    values = await _values(tx, by, visibility, body, row, session) | {"session_id": session.id}
    if body.name is not None and body.name != row.name:
        check_new_name("name", body.name, row.name)
        within = {"session_id": session.id}
        await refuse_duplicate(tx.session, InsertionRow.name, body.name, within=within, except_id=row.id)
    touch(row)
    await update_row(tx, "insertion", row, values)
    return await queries.fetch_insertion(tx.session, visibility, row.id, base_url)


async def _values(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    body: InsertionIn,
    row: InsertionRow,
    session: ActionRow,
) -> dict[str, Any]:
    """The columns that a body sets.

    An insertion without a serial number has that of its chronic insertion. Raises BadRequest and Forbidden.
    """
    values = _STORED.values(body)
    if "model" in body.model_fields_set:
        known = await references.fetch_part_number(tx.session, body.model, "model") if body.model else None
        values["model"] = known
    if "chronic_insertion" in body.model_fields_set:
        kept_id = await references.find_kept_action_id(tx.session, visibility, row.chronic_insertion_id)
        values["chronic_insertion_id"] = body.chronic_insertion or kept_id
    chronic_id = values.get("chronic_insertion_id", row.chronic_insertion_id)
    if chronic_id is not None and body.model_fields_set & {"session", "chronic_insertion", "serial"}:
        try:
            chronic, _, _ = await lock_to_edit(tx, by, visibility, ActionKind.CHRONIC_INSERTION, chronic_id)
        except NotFound:
            if body.chronic_insertion is not None:
                raise UnknownReference("chronic_insertion", chronic_id, key="pk") from None
            # It is deleted or not visible to the caller: it stays as long as the probe stays in its subject.
            if await references.fetch_subject_id_of_action(tx.session, chronic_id) != session.subject_id:
                values["chronic_insertion_id"] = None
            return values
        check_same_subject(chronic.subject_id, session.subject_id)
        serial = values.get("serial", row.serial) or chronic.serial
        check_serials_match(chronic.serial, [serial])
        values["serial"] = serial
    return values


async def lock_insertion_to_edit(
    tx: Transaction, by: Principal, visibility: Visibility, insertion_id: UUID
) -> InsertionRow:
    """An insertion that the caller may change, locked. Raises NotFound and Forbidden."""
    await lock_with_parents(tx.session, insertions=[insertion_id])
    row = await lock_by_id(tx.session, InsertionRow, insertion_id)
    try:
        await lock_to_edit(tx, by, visibility, ActionKind.SESSION, row.session_id)
    except NotFound:
        raise NotFound(f"There is no insertion {insertion_id}.") from None
    return row


async def delete_insertion(
    tx: Transaction, by: Principal, visibility: Visibility, insertion_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) an insertion with all that depends on it."""
    row = await lock_insertion_to_edit(tx, by, visibility, insertion_id)
    return await delete_row(tx, by, visibility, "insertion", row, dry_run=dry_run)

"""Insertions: probes in sessions."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.rows import create_row, lock_by_id, update_row
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.problem import NotFound, UnknownReference
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.insertions import Insertion, InsertionIn
from libs.common.schemas.states import ActionKind
from libs.common.visibility import Visibility
from services.metadata.domain.bodies import required
from services.metadata.domain.insertions import check_name_free
from services.metadata.models import InsertionRow
from services.metadata.operations.actions import lock_to_edit
from services.metadata.operations.deletions import delete_row
from services.metadata.queries import insertions as queries
from services.metadata.queries import references
from services.metadata.queries.actions import touch

_STORED: Final = StoredFields(InsertionIn, InsertionRow, handled={"session", "model"})


async def create_insertion(
    tx: Transaction, by: Principal, visibility: Visibility, body: InsertionIn, base_url: str
) -> Insertion:
    """Create an insertion; a session has one of each name."""
    session_id = required(body.session, "session")
    await _check_session(tx, by, visibility, session_id)
    name = required(body.name, "name")
    check_name_free(name, is_taken=await queries.exists_insertion(tx.session, session_id, name))
    values = await _values(tx, body) | {"session_id": session_id}
    row = InsertionRow(id=uuid4(), **values)
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
    row = await lock_insertion_to_edit(tx, by, visibility, insertion_id)
    values = await _values(tx, body)
    if body.session is not None and body.session != row.session_id:
        await _check_session(tx, by, visibility, body.session)
        values["session_id"] = body.session
    touch(row)
    await update_row(tx, "insertion", row, values)
    return await queries.fetch_insertion(tx.session, visibility, row.id, base_url)


async def _values(tx: Transaction, body: InsertionIn) -> dict[str, Any]:
    """The columns that a body sets; a model of null is ignored, as in Alyx. Raises UnknownReference."""
    values = _STORED.values(body)
    if body.model:
        values["model"] = await references.fetch_part_number(tx.session, body.model, "model")
    return values


async def _check_session(tx: Transaction, by: Principal, visibility: Visibility, session_id: UUID) -> None:
    """Raises UnknownReference or Forbidden unless the caller may change the session that a body names."""
    try:
        await lock_to_edit(tx, by, visibility, ActionKind.SESSION, session_id)
    except NotFound:
        raise UnknownReference("session", session_id, key="pk") from None


async def lock_insertion_to_edit(
    tx: Transaction, by: Principal, visibility: Visibility, insertion_id: UUID
) -> InsertionRow:
    """An insertion that the caller may change, locked. Raises NotFound and Forbidden."""
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

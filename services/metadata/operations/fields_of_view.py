"""Fields of view: changed by users who may change their session."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.rows import create_row, lock_by_id, refuse_duplicate, update_row
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.problem import NotFound
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.fields_of_view import FieldOfView, FieldOfViewIn
from libs.common.schemas.names import check_new_name
from libs.common.schemas.states import ActionKind
from libs.common.visibility import Visibility
from services.metadata.domain.bodies import required
from services.metadata.domain.fields_of_view import check_name_free, check_slices_of_session
from services.metadata.models import FieldOfViewRow
from services.metadata.operations.actions import lock_named_session, lock_to_edit
from services.metadata.operations.deletions import delete_row
from services.metadata.queries import fields_of_view as queries
from services.metadata.queries import references
from services.metadata.queries.imaging_stacks import exists_slice_of_other_session, lock_imaging_stack
from services.metadata.queries.lock_order import lock_with_parents
from services.metadata.queries.references import Vocabulary

_STORED: Final = StoredFields(
    FieldOfViewIn, FieldOfViewRow, handled={"session", "imaging_type", "stack", "datasets"}
)


async def create_field_of_view(
    tx: Transaction, by: Principal, visibility: Visibility, body: FieldOfViewIn
) -> FieldOfView:
    """Create a field of view; a session has one of each name."""
    session_id = required(body.session, "session")
    await lock_named_session(tx, by, visibility, session_id)
    name = required(body.name, "name")
    check_new_name("name", name)
    check_name_free(name, is_taken=await queries.exists_field_of_view(tx.session, session_id, name))
    await refuse_duplicate(tx.session, FieldOfViewRow.name, name, within={"session_id": session_id})
    row = FieldOfViewRow(id=uuid4(), session_id=session_id)
    values = await _values(tx, visibility, body, row, session_id)
    for column, value in values.items():
        setattr(row, column, value)
    await create_row(tx, "field-of-view", row, values)
    return await queries.fetch_field_of_view(tx.session, visibility, row.id)


async def update_field_of_view(
    tx: Transaction, by: Principal, visibility: Visibility, fov_id: UUID, body: FieldOfViewIn
) -> FieldOfView:
    """Update a field of view; absent fields keep their value."""
    await lock_with_parents(tx.session, actions=[body.session], fields_of_view=[fov_id])
    row = await lock_field_of_view_to_edit(tx, by, visibility, fov_id)
    session_id = body.session or row.session_id
    if session_id != row.session_id:
        await lock_named_session(tx, by, visibility, session_id)
    values = await _values(tx, visibility, body, row, session_id)
    if values.keys() & {"name", "session_id"}:
        within, name = {"session_id": session_id}, values.get("name", row.name)
        check_new_name("name", name, row.name)
        await refuse_duplicate(tx.session, FieldOfViewRow.name, name, within=within, except_id=row.id)
    await update_row(tx, "field-of-view", row, values)
    return await queries.fetch_field_of_view(tx.session, visibility, row.id)


async def _values(
    tx: Transaction, visibility: Visibility, body: FieldOfViewIn, row: FieldOfViewRow, session_id: UUID
) -> dict[str, Any]:
    """The columns that a body sets. Raises BadRequest.

    A field of view that moves to another session leaves the datasets that it named in the other one.
    """
    values = _STORED.values(body) | {"session_id": session_id}
    if session_id != row.session_id:
        values["dataset_ids"] = None
    if "imaging_type" in body.model_fields_set:
        values["imaging_type_id"] = await references.fetch_term_id(
            tx.session, Vocabulary.IMAGING_TYPE, body.imaging_type, "imaging_type"
        )
    stack_id = body.stack if "stack" in body.model_fields_set else row.stack_id
    values["stack_id"] = stack_id
    if stack_id is not None and (stack_id, session_id) != (row.stack_id, row.session_id):
        await lock_imaging_stack(tx.session, visibility, stack_id)
        is_other = await exists_slice_of_other_session(tx.session, stack_id, session_id, other_than=row.id)
        check_slices_of_session(is_other=is_other)
    if "datasets" in body.model_fields_set:
        values["dataset_ids"] = None if body.datasets is None else [*dict.fromkeys(body.datasets)]
        await queries.check_datasets_of_session(tx.session, visibility, session_id, body.datasets or [])
    return values


async def lock_field_of_view_to_edit(
    tx: Transaction, by: Principal, visibility: Visibility, fov_id: UUID
) -> FieldOfViewRow:
    """A field of view that the caller may change, locked. Raises NotFound and Forbidden."""
    await lock_with_parents(tx.session, fields_of_view=[fov_id])
    row = await lock_by_id(tx.session, FieldOfViewRow, fov_id, noun="field-of-view")
    try:
        await lock_to_edit(tx, by, visibility, ActionKind.SESSION, row.session_id)
    except NotFound:
        raise NotFound(f"There is no field-of-view {fov_id}.") from None
    return row


async def delete_field_of_view(
    tx: Transaction, by: Principal, visibility: Visibility, fov_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a field of view with its locations."""
    row = await lock_field_of_view_to_edit(tx, by, visibility, fov_id)
    return await delete_row(tx, by, visibility, "field-of-view", row, dry_run=dry_run)

"""Sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from libs.common.db import Transaction
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal, Target
from libs.common.problem import BadRequest, Conflict, NotFound, UnknownReference
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.ids import parse_field_id
from libs.common.schemas.session_detail import SessionDetail
from libs.common.schemas.sessions import SessionIn
from libs.common.schemas.states import ActionKind
from libs.common.visibility import Visibility
from services.metadata.domain.rights import LOSES_ACCESS, check_keeps_access
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
from services.metadata.operations.relations import add_private_projects
from services.metadata.operations.taken_paths import check_paths_free, path_of
from services.metadata.queries import references
from services.metadata.queries import sessions as queries
from services.metadata.queries.actions import fetch_action_target, lock_action, touch
from services.metadata.queries.lock_order import lock_with_parents

_STORED: Final = StoredFields(
    SessionIn,
    ActionRow,
    handled=COMMON_FIELDS | {"location", "procedures", "projects", "parent_session", "import_id"},
)


async def add_session_user(tx: Transaction, session_id: UUID, user_id: UUID) -> None:
    """Add a user to a session; nothing happens if one of them was deleted meanwhile."""
    await queries.insert_session_user(tx.session, session_id, user_id)


async def create_session(
    tx: Transaction, by: Principal, visibility: Visibility, body: SessionIn, base_url: str
) -> tuple[SessionDetail, int]:
    """Create a session; the second value counts the other sessions of the same subject, day and number.

    Without users it is the caller's. Nothing makes (subject, day, number) unique, as in Alyx: a rig that sends a
    session twice gets a notice.
    """
    edit = await edit_new(tx, by, visibility, ActionKind.SESSION, body)
    named = await references.fetch_project_ids(tx.session, visibility, body.projects or [], "projects")
    edit = replace(edit, before=Target(edit.subject.lab_id, frozenset(named)))
    values = await _values(tx, by, visibility, body, edit)
    if body.import_id is not None:
        if await queries.exists_action(tx.session, body.import_id):
            raise Conflict(
                f"The id {body.import_id} is taken: without `import_id` the session gets a new one."
            )
        values["id"] = body.import_id
    row = await write_action(tx, edit, values)
    await set_relations(tx, visibility, row, body)
    if body.users is None:
        await queries.insert_session_user(tx.session, row.id, by.user_id)
    inherited = frozenset() if body.projects else await _inherit_projects(tx, row)
    await _check_result(tx, by, visibility, row, Target(project_ids=inherited))
    return await queries.fetch_session(tx.session, visibility, row.id, base_url)


async def update_session(
    tx: Transaction, by: Principal, visibility: Visibility, session_id: UUID, body: SessionIn, base_url: str
) -> tuple[SessionDetail, int]:
    """Update a session; absent fields keep their value. The second value is that of `create_session`."""
    if body.parent_session:
        parent_id = parse_field_id("parent_session", body.parent_session)
        await lock_with_parents(tx.session, actions=[session_id, parent_id])
    edit = await edit_existing(tx, by, visibility, ActionKind.SESSION, session_id)
    values = await _values(tx, by, visibility, body, edit)
    path = path_of(edit.row)
    row = await write_action(tx, edit, values)
    touch(row)
    if path_of(row) != path:
        await check_paths_free(tx, visibility, [row.id])
    await set_relations(tx, visibility, row, body)
    names_none = not body.projects and ("subject_id" in values or body.projects is not None)
    inherited = await _inherit_projects(tx, row) if names_none else frozenset()
    before = replace(edit.before, project_ids=edit.before.project_ids | inherited)
    await _check_result(tx, by, visibility, row, before)
    return await queries.fetch_session(tx.session, visibility, row.id, base_url)


async def _inherit_projects(tx: Transaction, row: ActionRow) -> frozenset[UUID]:
    """Add a session to the private projects of its subject; these are returned.

    A rig that names no project publishes nothing of a subject in private ones, nor does a move to such a subject.
    """
    before = await fetch_action_target(tx.session, row)
    await add_private_projects(tx, row)
    return (await fetch_action_target(tx.session, row)).project_ids - before.project_ids


async def _values(
    tx: Transaction, by: Principal, visibility: Visibility, body: SessionIn, edit: Edit
) -> dict[str, Any]:
    """The columns that a body sets, references included."""
    values = (
        await common_values(tx, by, visibility, body, edit)
        | await location_values(tx, body)
        | _STORED.values(body)
    )
    if "parent_session" in body.model_fields_set:
        current_id = None if edit.row is None else edit.row.parent_session_id
        kept_id = await references.find_kept_session_id(tx.session, visibility, current_id)
        values["parent_session_id"] = await _parent_id(tx, visibility, body.parent_session) or kept_id
    return values


async def _parent_id(tx: Transaction, visibility: Visibility, text: str | None) -> UUID | None:
    """The id of a parent session, sent as id or address. It is locked, so that it is not deleted meanwhile."""
    if not text:
        return None
    parent_id = parse_field_id("parent_session", text)
    try:
        await lock_action(tx.session, visibility, ActionKind.SESSION, parent_id)
    except NotFound:
        raise UnknownReference("parent_session", parent_id, key="pk") from None
    return parent_id


async def _check_result(
    tx: Transaction, by: Principal, visibility: Visibility, row: ActionRow, before: Target
) -> None:
    """Raises Forbidden for a session beyond the caller's token, BadRequest for one the caller no longer sees."""
    check_keeps_access(by, before, await fetch_action_target(tx.session, row))
    if not await references.exists_session(tx.session, visibility, row.id):
        raise BadRequest(fields={"projects": LOSES_ACCESS})


async def delete_session(
    tx: Transaction, by: Principal, visibility: Visibility, session_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a session with all that depends on it."""
    row, _, _ = await lock_to_edit(tx, by, visibility, ActionKind.SESSION, session_id)
    return await delete_row(tx, by, visibility, "session", row, dry_run=dry_run)

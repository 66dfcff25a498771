"""What sessions, surgeries, water restrictions and chronic insertions have in common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.links import set_links
from libs.common.db.rows import create_row, update_row
from libs.common.db.stored_fields import check_not_cleared
from libs.common.permissions import Principal, Target
from libs.common.problem import NotFound, UnknownReference
from libs.common.schemas.chronic_insertions import ChronicInsertionIn
from libs.common.schemas.sessions import SessionIn
from libs.common.schemas.states import ActionKind
from libs.common.schemas.surgeries import SurgeryIn
from libs.common.schemas.water_restrictions import WaterRestrictionIn
from libs.common.targets import fetch_object_target
from libs.common.visibility import Visibility
from services.metadata.domain.actions import check_times
from services.metadata.domain.clock import DEFAULT_ZONE, parse_time, time_or_now
from services.metadata.domain.rights import check_may_edit_action, check_may_write_in_lab
from services.metadata.models import (
    ActionRow,
    LabRow,
    LocationRow,
    UserRow,
)
from services.metadata.operations.relations import PROCEDURES_OF_ACTION, PROJECTS_OF_SESSION, USERS_OF_ACTION
from services.metadata.operations.subject_names import names_other, subject_of_body
from services.metadata.queries import references
from services.metadata.queries.actions import fetch_action_target, lock_action
from services.metadata.queries.references import Vocabulary
from services.metadata.queries.subjects import SubjectBrief, fetch_brief_of_action

Body = SessionIn | SurgeryIn | WaterRestrictionIn | ChronicInsertionIn
# Fields that `common_values` and `set_relations` handle for every kind.
COMMON_FIELDS = frozenset({"subject", "lab", "start_time", "end_time", "users"})


@dataclass(frozen=True, slots=True)
class Edit:
    """An action to be written: its row, None for a new one; its subject; and what it belongs to before the change."""

    kind: ActionKind
    row: ActionRow | None
    subject: SubjectBrief
    before: Target


async def edit_new(
    tx: Transaction, by: Principal, visibility: Visibility, kind: ActionKind, body: Body
) -> Edit:
    """A new action of the subject that a body names. Raises BadRequest, AmbiguousName and Forbidden."""
    subject = await subject_of_body(tx, by, visibility, body.subject, body.lab)
    return Edit(kind, None, subject, await fetch_object_target(tx.session, "subject", subject.id))


async def edit_existing(
    tx: Transaction, by: Principal, visibility: Visibility, kind: ActionKind, action_id: UUID
) -> Edit:
    """An existing action. Raises NotFound and Forbidden."""
    row, subject, before = await lock_to_edit(tx, by, visibility, kind, action_id)
    return Edit(kind, row, subject, before)


async def lock_to_edit(
    tx: Transaction, by: Principal, visibility: Visibility, kind: ActionKind, action_id: UUID
) -> tuple[ActionRow, SubjectBrief, Target]:
    """An action that the caller may change, locked; its subject; and what it belongs to.

    Raises NotFound and Forbidden.
    """
    row = await lock_action(tx.session, visibility, kind, action_id)
    subject = await fetch_brief_of_action(tx.session, row)
    before = await fetch_action_target(tx.session, row)
    check_may_edit_action(by, before, subject.nickname)
    return row, subject, before


async def lock_named_session(
    tx: Transaction, by: Principal, visibility: Visibility, session_id: UUID
) -> ActionRow:
    """The session that a body names, locked. Raises UnknownReference and Forbidden."""
    try:
        row, _, _ = await lock_to_edit(tx, by, visibility, ActionKind.SESSION, session_id)
    except NotFound:
        raise UnknownReference("session", session_id, key="pk") from None
    return row


async def common_values(
    tx: Transaction, by: Principal, visibility: Visibility, body: Body, edit: Edit
) -> dict[str, Any]:
    """The columns of all kinds of actions that a body sets; a new action without a start starts now.

    Times without offset are read on the clock of the lab where it happens.
    Raises Forbidden for another lab than before where the caller may not write.
    """
    values: dict[str, Any] = {}
    zone = edit.subject.zone
    if edit.row is not None:
        check_not_cleared(body, {"start_time": edit.row.start_time})
        if edit.kind is not ActionKind.SURGERY:
            check_not_cleared(body, {"lab": edit.row.lab_id})
    if edit.row is not None and names_other(body.subject, edit.subject):
        values["subject_id"] = (await subject_of_body(tx, by, visibility, body.subject, body.lab)).id
    if body.lab:
        lab_id = await references.fetch_id(tx.session, LabRow, body.lab, "lab")
        if lab_id != edit.before.lab_id:
            check_may_write_in_lab(by, Target(lab_id, edit.before.project_ids), body.lab)
        zone = await references.find_lab_zone(tx.session, lab_id) or DEFAULT_ZONE
        values["lab_id"] = lab_id
    elif "lab" in body.model_fields_set and edit.row is not None:
        values["lab_id"] = None
    if body.start_time or edit.row is None:
        start = time_or_now(body.start_time, zone, "start_time", datetime.now(UTC))
        values |= {"start_time": start.text, "start_at": start.at, "day": start.day}
    if "end_time" in body.model_fields_set:
        end = parse_time(body.end_time, zone, "end_time") if body.end_time else None
        values |= {"end_time": end.text if end else None, "end_at": end.at if end else None}
    return values


async def location_values(
    tx: Transaction, body: SessionIn | SurgeryIn | ChronicInsertionIn
) -> dict[str, Any]:
    """The location that a body sets."""
    if "location" not in body.model_fields_set:
        return {}
    location_id = await references.fetch_id(tx.session, LocationRow, body.location, "location")
    return {"location_id": location_id}


async def write_action(tx: Transaction, edit: Edit, values: dict[str, Any]) -> ActionRow:
    """Create or change the row of an action. Raises BadRequest where it would end before it starts."""
    row = edit.row
    start, end = (values.get(name, getattr(row, name, None)) for name in ("start_at", "end_at"))
    check_times(start, end)
    if row is None:
        values.setdefault("lab_id", edit.subject.lab_id)
        row = ActionRow(**{"id": uuid4(), "kind": edit.kind, "subject_id": edit.subject.id, **values})
        audited = {
            "subject": edit.subject.nickname,
            "start_time": row.start_time,
            "number": row.number,
            "reference_weight": row.reference_weight,
        }
        await create_row(tx, edit.kind, row, audited)
    else:
        await update_row(tx, edit.kind, row, values)
    return row


async def set_relations(tx: Transaction, visibility: Visibility, row: ActionRow, body: Body) -> None:
    """Set the users, procedures and projects of an action that a body names."""
    if body.users is not None:
        user_ids = await references.fetch_ids(tx.session, UserRow, body.users, "users")
        await set_links(tx, USERS_OF_ACTION, row.kind, row.id, user_ids)
    if not isinstance(body, WaterRestrictionIn) and body.procedures is not None:
        procedure_ids = await references.fetch_term_ids(
            tx.session, Vocabulary.PROCEDURE, body.procedures, "procedures"
        )
        await set_links(tx, PROCEDURES_OF_ACTION, row.kind, row.id, procedure_ids)
    if isinstance(body, SessionIn) and body.projects is not None:
        project_ids = await references.fetch_project_ids(tx.session, visibility, body.projects, "projects")
        hidden_ids = await references.fetch_hidden_projects_of_session(tx.session, visibility, row.id)
        await set_links(tx, PROJECTS_OF_SESSION, row.kind, row.id, [*project_ids, *hidden_ids])

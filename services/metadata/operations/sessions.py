"""Sessions."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import Transaction
from libs.common.db.changes import apply, created, deleted
from libs.common.db.lists import uuid_of
from libs.common.events import SessionCreated, SessionsDeleted
from libs.common.permissions import Principal, Target
from libs.common.problem import BadRequest, NotFound
from libs.common.schemas.experiments import SessionIn
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionRow,
    ActionUserRow,
    ProjectRow,
    SessionProjectRow,
    SubjectProjectRow,
    SubjectRow,
    UserRow,
)
from services.metadata.operations.actions import (
    check_may_edit_action,
    check_times,
    common_fields,
    set_relations,
    subject_of,
    visible_action,
)
from services.metadata.operations.house import json_given
from services.metadata.operations.subjects import animal_of_body, check_stays
from services.metadata.queries import references, targets, visible


async def add_session_user(tx: Transaction, session_id: UUID, user_id: UUID) -> None:
    """A person took part in a session; a session or user gone meanwhile is nothing to add to."""
    person = sa.exists().where(UserRow.id == user_id)
    both = sa.select(ActionRow.id, sa.literal(user_id)).where(ActionRow.id == session_id, person)
    await tx.session.execute(
        insert(ActionUserRow).from_select(["action_id", "user_id"], both).on_conflict_do_nothing()
    )


async def _session_fields(
    tx: Transaction,
    by: Principal,
    seen: Visibility,
    body: SessionIn,
    zone: str,
    usual: Target,
    *,
    is_new: bool,
) -> dict[str, Any]:
    fields = await common_fields(tx, by, body, zone, usual, is_new=is_new) | json_given(body)
    given = body.model_fields_set
    for name in ("type", "number", "n_trials", "n_correct_trials", "extended_qc"):
        if name in given:
            fields[name] = getattr(body, name)
    if body.task_protocol is not None:
        fields["task_protocol"] = body.task_protocol
    if body.qc is not None:
        fields["qc"] = body.qc
    if "parent_session" in given:
        parent = uuid_of("parent_session", body.parent_session) if body.parent_session else None
        if parent is not None:
            try:
                await visible_action(tx, seen, "session", parent)
            except NotFound:
                raise references.unknown("parent_session", "pk", parent) from None
        fields["parent_session_id"] = parent
    return fields


async def create_session(
    tx: Transaction, by: Principal, seen: Visibility, body: SessionIn
) -> tuple[UUID, int]:
    """Write a session down; its id, and how many others have the same subject, day and number.

    Nothing makes (subject, date, number) unique, as in Alyx; a rig that repeats itself is told.
    """
    subject, zone = await animal_of_body(tx, by, seen, body.subject)
    named = await references.projects(tx.session, seen, body.projects or [], "projects")
    before = Target(subject.lab_id, frozenset(named))
    fields = await _session_fields(tx, by, seen, body, zone, before, is_new=True)
    fields.setdefault("lab_id", subject.lab_id)
    row = ActionRow(id=uuid4(), kind="session", subject_id=subject.id, **fields)
    check_times(row)
    same = await tx.session.scalar(
        sa.select(sa.func.count()).where(
            ActionRow.kind == "session",
            ActionRow.subject_id == subject.id,
            ActionRow.day == fields["day"],
            ActionRow.number.is_not_distinct_from(fields.get("number")),
            visible.sessions(seen),
        )
    )
    told = {"subject": subject.nickname, "start_time": row.start_time, "number": row.number}
    created(tx, "session", row, told)
    await set_relations(tx, seen, row, body)
    if not body.projects:
        await _keep_private(tx, row)
    after = await targets.of_action(tx.session, row, subject)
    inherited = after.project_ids - before.project_ids
    check_stays(by, Target(project_ids=inherited), after)
    if not await references.session_known(tx.session, seen, row.id):
        raise BadRequest(fields={"projects": references.LOSES_SIGHT})
    tx.publish(SessionCreated(session_id=row.id, subject_id=subject.id, lab_id=row.lab_id))
    return row.id, same or 0


async def _keep_private(tx: Transaction, row: ActionRow) -> None:
    """A session of no project belongs to the private ones of its animal: a rig that names none publishes nothing."""
    private = (
        sa.select(sa.literal(row.id), SubjectProjectRow.project_id)
        .join(ProjectRow, ProjectRow.id == SubjectProjectRow.project_id)
        .where(
            SubjectProjectRow.subject_id == row.subject_id,
            ProjectRow.is_private.is_(True),  # a deleted one too: its animal stays hidden
        )
    )
    await tx.session.execute(
        insert(SessionProjectRow).from_select(["session_id", "project_id"], private).on_conflict_do_nothing()
    )


async def update_session(
    tx: Transaction, by: Principal, seen: Visibility, which: UUID, body: SessionIn
) -> None:
    """Change a session; absent fields keep their value."""
    row = await visible_action(tx, seen, "session", which)
    subject, zone = await subject_of(tx, row)
    before = await check_may_edit_action(tx, by, row, subject)
    fields = await _session_fields(tx, by, seen, body, zone, before, is_new=False)
    if body.subject and body.subject != subject.nickname:
        other, _ = await animal_of_body(tx, by, seen, body.subject)
        fields["subject_id"] = other.id
    apply(tx, "session", row, fields)
    row.auto_datetime = sa.func.now()
    check_times(row)
    await set_relations(tx, seen, row, body)
    subject = await tx.session.get_one(SubjectRow, row.subject_id)
    check_stays(by, before, await targets.of_action(tx.session, row, subject))
    if not await references.session_known(tx.session, seen, row.id):
        raise BadRequest(fields={"projects": references.LOSES_SIGHT})


async def delete_session(tx: Transaction, by: Principal, seen: Visibility, which: UUID) -> None:
    """Take a session out of sight, and with it all that hangs on it; an undo brings all back."""
    row = await visible_action(tx, seen, "session", which)
    subject, _ = await subject_of(tx, row)
    await check_may_edit_action(tx, by, row, subject)
    deleted(tx, "session", row)
    tx.publish(SessionsDeleted(session_ids=[row.id]))

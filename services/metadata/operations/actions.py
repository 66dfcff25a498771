"""What all actions have in common; surgeries and water restrictions."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from libs.common.db import Transaction
from libs.common.db.changes import apply, created, set_links
from libs.common.permissions import Principal, Target, may_on
from libs.common.problem import BadRequest, Forbidden, NotFound
from libs.common.schemas.experiments import SessionIn, SurgeryIn, WaterRestrictionIn
from libs.common.scopes import Permission
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionProcedureRow,
    ActionRow,
    ActionUserRow,
    LabRow,
    LocationRow,
    SessionProjectRow,
    SubjectRow,
    UserRow,
    WeighingRow,
)
from services.metadata.operations.clock import now_on_clock, time_of
from services.metadata.operations.house import json_given
from services.metadata.operations.subjects import DEFAULT_ZONE, animal_of_body, check_stays, end_restrictions
from services.metadata.queries import references, targets, visible
from services.metadata.queries.references import Vocabulary

Body = SessionIn | SurgeryIn | WaterRestrictionIn


async def visible_action(tx: Transaction, seen: Visibility, kind: str, which: UUID) -> ActionRow:
    """An action the caller may know of, locked for a change. Raises NotFound."""
    found = await tx.session.execute(
        sa.select(ActionRow)
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .where(ActionRow.id == which, ActionRow.kind == kind, SubjectRow.deleted_at.is_(None))
        .where(visible.sessions(seen) if kind == "session" else visible.subjects(seen))
        .where(ActionRow.deleted_at.is_(None))
        .with_for_update(of=ActionRow)
    )
    row = found.scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no {kind} {which}.")
    return row


async def subject_of(tx: Transaction, row: ActionRow) -> tuple[SubjectRow, str]:
    """The animal of an action, and the clock by which the action's times are read: that of the lab it happens in."""
    subject = await tx.session.get_one(SubjectRow, row.subject_id)
    lab_id = row.lab_id or subject.lab_id
    lab = await tx.session.get(LabRow, lab_id) if lab_id else None
    return subject, lab.timezone if lab else DEFAULT_ZONE


async def check_may_edit_action(
    tx: Transaction, by: Principal, row: ActionRow, subject: SubjectRow
) -> Target:
    """What an action belongs to. Raises Forbidden for others than the animal's people and those of the action's lab."""
    target = await targets.of_action(tx.session, row, subject)
    if not may_on(by, Permission.WRITE, target):
        raise Forbidden(
            f"'{subject.nickname}' is of another lab, or beyond the token in use: the lab's members, the animal's "
            "owner and the owner's delegates may write here."
        )
    return target


async def common_fields(
    tx: Transaction, by: Principal, body: Body, zone: str, usual: Target, *, is_new: bool
) -> dict[str, Any]:
    """Columns that all actions have; a new one without a start starts now.

    Times without offset are read on the clock of the lab where it happens.
    Raises Forbidden for a lab other than that of `usual` where the caller may not write.
    """
    given = body.model_fields_set
    fields: dict[str, Any] = {}
    if body.narrative is not None:
        fields["narrative"] = body.narrative
    if body.lab:
        lab_id = await references.id_named(tx.session, LabRow, body.lab, "lab")
        lab = await tx.session.get_one(LabRow, lab_id)
        if lab.id != usual.lab_id and not may_on(by, Permission.WRITE, Target(lab.id, usual.project_ids)):
            raise Forbidden(f"You are not a member of the lab '{body.lab}'.")
        fields["lab_id"], zone = lab.id, lab.timezone
    if "location" in given and not isinstance(body, WaterRestrictionIn):
        fields["location_id"] = await references.id_named(tx.session, LocationRow, body.location, "location")
    if body.start_time or is_new:
        start = time_of(body.start_time, zone, "start_time") if body.start_time else now_on_clock(zone)
        fields |= {"start_time": start.text, "start_at": start.at, "day": start.day}
    if "end_time" in given:
        end = time_of(body.end_time, zone, "end_time") if body.end_time else None
        fields |= {"end_time": end.text if end else None, "end_at": end.at if end else None}
    return fields


async def set_relations(tx: Transaction, seen: Visibility, row: ActionRow, body: Body) -> None:
    """People, procedures and projects of an action."""
    await tx.session.flush()
    if body.users is not None:
        people = await references.ids_named(tx.session, UserRow, body.users, "users")
        await set_links(tx, ActionUserRow, "action_id", row.id, "user_id", people)
    if not isinstance(body, WaterRestrictionIn) and body.procedures is not None:
        words = await references.terms(tx.session, Vocabulary.PROCEDURE, body.procedures, "procedures")
        await set_links(tx, ActionProcedureRow, "action_id", row.id, "procedure_id", words)
    if isinstance(body, SessionIn) and body.projects is not None:
        projects = await references.projects(tx.session, seen, body.projects, "projects")
        projects += await references.hidden_projects(tx.session, seen, SessionProjectRow, row.id)
        await set_links(tx, SessionProjectRow, "session_id", row.id, "project_id", projects)


def check_times(row: ActionRow) -> None:
    if row.start_at and row.end_at and row.end_at < row.start_at:
        raise BadRequest(fields={"end_time": ["It ends before it starts."]})


async def save_surgery(
    tx: Transaction, by: Principal, seen: Visibility, body: SurgeryIn, which: UUID | None = None
) -> UUID:
    """Write a surgery down, or change it; an acute or non-recovery one with an end is the animal's death."""
    row, subject, zone, before = await _action(tx, by, seen, "surgery", body.subject, which)
    fields = await common_fields(tx, by, body, zone, before, is_new=row is None) | json_given(body)
    for name in ("outcome_type", "implant_weight"):
        if name in body.model_fields_set:
            fields[name] = getattr(body, name)
    row = _write(tx, row, "surgery", subject, fields)
    if row.outcome_type in {"a", "n"} and row.end_time and subject.death_date is None:
        apply(tx, "subject", subject, {"death_date": time_of(row.end_time, zone, "end_time").day})
        await end_restrictions(tx, subject)
    await set_relations(tx, seen, row, body)
    check_stays(by, before, await targets.of_action(tx.session, row, subject))
    return row.id


async def save_restriction(
    tx: Transaction, by: Principal, seen: Visibility, body: WaterRestrictionIn, which: UUID | None = None
) -> UUID:
    """Write a water restriction down, or change it (to end it, give `end_time`).

    Without a reference weight the last weighing of the seven days before the start is taken.
    """
    row, subject, zone, before = await _action(tx, by, seen, "water-restriction", body.subject, which)
    fields = await common_fields(tx, by, body, zone, before, is_new=row is None)
    if "water_type" in body.model_fields_set or row is None:
        word = body.water_type or "Water"
        fields["water_type_id"] = await references.term(tx.session, Vocabulary.WATER_TYPE, word, "water_type")
    if body.reference_weight is not None:
        fields["reference_weight"] = body.reference_weight
    row = _write(tx, row, "water-restriction", subject, fields)
    if row.reference_weight is None:
        row.reference_weight = await _last_weight(tx, row)
    await set_relations(tx, seen, row, body)
    check_stays(by, before, await targets.of_action(tx.session, row, subject))
    return row.id


async def _last_weight(tx: Transaction, row: ActionRow) -> float:
    week = sa.text("interval '7 days'")
    found = await tx.session.scalar(
        sa.select(WeighingRow.weight)
        .where(
            WeighingRow.subject_id == row.subject_id,
            WeighingRow.deleted_at.is_(None),
            WeighingRow.date_time_at <= row.start_at,
            WeighingRow.date_time_at > sa.cast(row.start_at, sa.TIMESTAMP(timezone=True)) - week,
        )
        .order_by(WeighingRow.date_time_at.desc())
        .limit(1)
    )
    if found is None:
        raise BadRequest(
            fields={
                "reference_weight": ["No weighing in the 7 days before the start: weigh first, or give it."]
            }
        )
    return float(found)


async def _action(
    tx: Transaction, by: Principal, seen: Visibility, kind: str, nickname: str | None, which: UUID | None
) -> tuple[ActionRow | None, SubjectRow, str, Target]:
    if which is None:
        subject, zone = await animal_of_body(tx, by, seen, nickname)
        return None, subject, zone, await targets.of_subject(tx.session, subject)
    row = await visible_action(tx, seen, kind, which)
    subject, zone = await subject_of(tx, row)
    return row, subject, zone, await check_may_edit_action(tx, by, row, subject)


def _write(
    tx: Transaction,
    row: ActionRow | None,
    kind: str,
    subject: SubjectRow,
    fields: dict[str, Any],
) -> ActionRow:
    if row is None:
        fields.setdefault("lab_id", subject.lab_id)
        row = ActionRow(id=uuid4(), kind=kind, subject_id=subject.id, **fields)
        created(tx, kind, row, {"subject": subject.nickname, "start_time": row.start_time})
    else:
        apply(tx, kind, row, fields)
    check_times(row)
    return row

"""Weights and water."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from libs.common.db import Transaction
from libs.common.db.changes import apply, created, deleted
from libs.common.permissions import Principal, in_scope
from libs.common.problem import BadRequest, Forbidden
from libs.common.schemas.colony import (
    WaterAdministrationIn,
    WeighingIn,
)
from libs.common.scopes import Permission
from libs.common.targets import session_target
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionRow,
    UserRow,
    WaterAdministrationRow,
    WeighingRow,
)
from services.metadata.operations.clock import now_on_clock, time_of
from services.metadata.operations.house import kept
from services.metadata.operations.subjects import animal_of, animal_of_body, check_may_edit
from services.metadata.queries import references
from services.metadata.queries.references import Vocabulary, unknown


async def add_weighing(tx: Transaction, by: Principal, seen: Visibility, body: WeighingIn) -> UUID:
    """Write a weighing down."""
    row, zone = await animal_of_body(tx, by, seen, body.subject)
    when = time_of(body.date_time, zone, "date_time") if body.date_time else now_on_clock(zone)
    user_id = await references.id_named(tx.session, UserRow, body.user, "user") if body.user else by.user_id
    weighing = WeighingRow(
        id=uuid4(),
        subject_id=row.id,
        user_id=user_id,
        date_time=when.text,
        date_time_at=when.at,
        weight=body.weight,
    )
    told = {"subject": row.nickname, "date_time": when.text, "weight": body.weight}
    created(tx, "weighing", weighing, told)
    return weighing.id


async def save_water(
    tx: Transaction,
    by: Principal,
    seen: Visibility,
    body: WaterAdministrationIn,
    water_id: UUID | None = None,
) -> UUID:
    """Write water down, or change what was written; refused after the animal's death."""
    existing: WaterAdministrationRow | None = None
    if water_id is not None:
        existing = await kept(tx, WaterAdministrationRow, water_id, "water administration")
        row, zone = await animal_of(tx, seen, existing, "water administration")
        await check_may_edit(tx, by, row)
    if existing is None or (body.subject and body.subject != row.nickname):
        row, zone = await animal_of_body(tx, by, seen, body.subject)
    given = body.model_fields_set
    said = body.date_time or (existing.date_time if existing else None)
    when = time_of(said, zone, "date_time") if said else now_on_clock(zone)
    if row.death_date and when.day > row.death_date:
        raise BadRequest(fields={"date_time": [f"'{row.nickname}' died on {row.death_date}."]})
    fields: dict[str, Any] = {"subject_id": row.id}
    if body.date_time or existing is None:
        fields |= {"date_time": when.text, "date_time_at": when.at}
    if "water_administered" in given:
        fields["water_administered"] = body.water_administered
    if body.adlib is not None:
        fields["adlib"] = body.adlib
    if "session" in given:
        fields["session_id"] = await _session(tx, by, seen, body.session)
    if body.user or existing is None:
        user_id = await references.id_named(tx.session, UserRow, body.user, "user")
        fields["user_id"] = user_id or by.user_id
    if body.water_type or existing is None:
        word = await references.term(tx.session, Vocabulary.WATER_TYPE, body.water_type, "water_type")
        fields["water_type_id"] = word or await _usual_water(tx, row.id)
    if existing is not None:
        apply(tx, "water-administration", existing, fields)
        return existing.id
    water = WaterAdministrationRow(id=uuid4(), **fields)
    created(tx, "water-administration", water, {"subject": row.nickname, **fields})
    return water.id


async def _session(tx: Transaction, by: Principal, seen: Visibility, session_id: UUID | None) -> UUID | None:
    """A session in which water was given. Raises Forbidden where the token does not reach it: the water shows there."""
    if session_id is None:
        return None
    if not await references.session_known(tx.session, seen, session_id):
        raise unknown("session", "pk", session_id)
    if not in_scope(by, Permission.WRITE, await session_target(tx.session, session_id)):
        raise Forbidden("The session is beyond the labs and projects of the token in use.")
    return session_id


async def _usual_water(tx: Transaction, subject_id: UUID) -> UUID | None:
    """The type of the latest restriction, else plain water."""
    latest = await tx.session.scalar(
        sa.select(ActionRow.water_type_id)
        .where(
            ActionRow.subject_id == subject_id,
            ActionRow.kind == "water-restriction",
            ActionRow.deleted_at.is_(None),
            ActionRow.water_type_id.is_not(None),
        )
        .order_by(ActionRow.start_at.desc())
        .limit(1)
    )
    return latest or await references.term(tx.session, Vocabulary.WATER_TYPE, "Water", "water_type")


async def delete_of_animal(
    tx: Transaction, by: Principal, seen: Visibility, kind: Any, row_id: UUID, what: str
) -> None:
    """Take a weighing or water out of sight; it can be brought back within 30 days."""
    row = await kept(tx, kind, row_id, what)
    subject, _ = await animal_of(tx, seen, row, what)
    await check_may_edit(tx, by, subject)
    deleted(tx, what.replace(" ", "-"), row)

"""Water administrations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.clock import fetch_now
from libs.common.db.rows import create_row, lock_by_id, update_row
from libs.common.db.stored_fields import StoredFields, check_not_cleared
from libs.common.permissions import Principal, in_scope
from libs.common.problem import Forbidden, UnknownReference
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.water_administrations import WaterAdministration, WaterAdministrationIn
from libs.common.scopes import Permission
from libs.common.targets import fetch_session_target
from libs.common.visibility import Visibility
from services.metadata.domain.clock import parse_time, time_or_now
from services.metadata.domain.repeats import Measured, is_repeat, repeat_notice
from services.metadata.domain.water_administrations import check_alive
from services.metadata.models import UserRow, WaterAdministrationRow
from services.metadata.operations.deletions import delete_row
from services.metadata.operations.subject_names import names_other, subject_of_body, subject_of_record
from services.metadata.queries import references
from services.metadata.queries.lock_order import lock_with_parents
from services.metadata.queries.references import Vocabulary
from services.metadata.queries.subjects import SubjectBrief, lock_subject_by_id
from services.metadata.queries.water_administrations import fetch_water_administration, fetch_waters_between
from services.metadata.queries.water_restrictions import find_latest_water_type

_STORED: Final = StoredFields(
    WaterAdministrationIn,
    WaterAdministrationRow,
    handled={"subject", "date_time", "user", "session", "water_type"},
)


async def create_water_administration(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    body: WaterAdministrationIn,
    base_url: str,
    *,
    is_keyed: bool,
) -> tuple[WaterAdministration, str | None]:
    """Create a water administration; the water type is that of the latest restriction unless the body names one.

    One that was created a moment ago is returned as it is, with a notice, unless the client sent a key.
    """
    subject = await subject_of_body(tx, by, visibility, body.subject)
    when = time_or_now(body.date_time, subject.zone, "date_time", datetime.now(UTC))
    check_alive(subject.nickname, subject.death_date, when.day)
    values = {"subject_id": subject.id, "date_time": when.text, "date_time_at": when.at}
    await lock_with_parents(tx.session, actions=[body.session])
    values |= await _values(tx, by, visibility, body)
    values.setdefault("user_id", by.user_id)
    if not body.water_type:
        values["water_type_id"] = await _usual_water_type(tx, subject.id)
    row = WaterAdministrationRow(id=uuid4(), **values)
    if not is_keyed:
        repeated_id = await _find_repeated(tx, row, is_stated=bool(body.date_time))
        if repeated_id is not None:
            shown = await fetch_water_administration(tx.session, visibility, repeated_id, base_url)
            return shown, repeat_notice("water administration", repeated_id)
    await create_row(tx, "water-administration", row, {"subject": subject.nickname, **values})
    return await fetch_water_administration(tx.session, visibility, row.id, base_url), None


async def _find_repeated(tx: Transaction, new: WaterAdministrationRow, *, is_stated: bool) -> UUID | None:
    """The water that this one repeats; of two at once, the second waits for the first at the subject's row."""
    await lock_subject_by_id(tx.session, new.subject_id)
    now = await fetch_now(tx.session)
    values = (new.session_id, new.water_administered, new.water_type_id, bool(new.adlib))
    measured = Measured(new.date_time_at, values, is_stated)
    earlier = await fetch_waters_between(tx.session, new.subject_id, *measured.times)
    return next((stored.id for stored in earlier if is_repeat(measured, stored, now)), None)


async def update_water_administration(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    water_id: UUID,
    body: WaterAdministrationIn,
    base_url: str,
) -> WaterAdministration:
    """Update a water administration; absent fields keep their value."""
    await lock_with_parents(tx.session, actions=[body.session])
    row = await lock_by_id(tx.session, WaterAdministrationRow, water_id)
    subject = await _subject_of(tx, by, visibility, row)
    current = {"date_time": row.date_time, "user": row.user_id, "water_type": row.water_type_id}
    check_not_cleared(body, current)
    if names_other(body.subject, subject):
        subject = await subject_of_body(tx, by, visibility, body.subject)
    when = parse_time(body.date_time or row.date_time, subject.zone, "date_time")
    check_alive(subject.nickname, subject.death_date, when.day)
    values: dict[str, Any] = {"subject_id": subject.id}
    if body.date_time:
        values |= {"date_time": when.text, "date_time_at": when.at}
    values |= await _values(tx, by, visibility, body, row.session_id)
    await update_row(tx, "water-administration", row, values)
    return await fetch_water_administration(tx.session, visibility, row.id, base_url)


async def _values(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    body: WaterAdministrationIn,
    current_id: UUID | None = None,
) -> dict[str, Any]:
    """The columns that a body sets, references included; `current_id` is the session until now."""
    values = _STORED.values(body)
    if "session" in body.model_fields_set:
        kept_id = await references.find_kept_session_id(tx.session, visibility, current_id)
        values["session_id"] = await _session_id(tx, by, visibility, body.session) or kept_id
    if body.user:
        values["user_id"] = await references.fetch_id(tx.session, UserRow, body.user, "user")
    if body.water_type:
        values["water_type_id"] = await references.fetch_term_id(
            tx.session, Vocabulary.WATER_TYPE, body.water_type, "water_type"
        )
    return values


async def _session_id(
    tx: Transaction, by: Principal, visibility: Visibility, session_id: UUID | None
) -> UUID | None:
    """The session in which water was given; the token must reach it, since the session shows the water."""
    if session_id is None:
        return None
    if not await references.exists_session(tx.session, visibility, session_id):
        raise UnknownReference("session", session_id, key="pk")
    if not in_scope(by, Permission.WRITE, await fetch_session_target(tx.session, session_id)):
        raise Forbidden("The session is beyond the labs and projects of the token in use.")
    return session_id


async def _usual_water_type(tx: Transaction, subject_id: UUID) -> UUID | None:
    """The water type of the latest restriction, else plain water."""
    latest = await find_latest_water_type(tx.session, subject_id)
    return latest or await references.fetch_term_id(tx.session, Vocabulary.WATER_TYPE, "Water", "water_type")


async def _subject_of(
    tx: Transaction, by: Principal, visibility: Visibility, row: WaterAdministrationRow
) -> SubjectBrief:
    missing = f"There is no water administration {row.id}."
    return await subject_of_record(tx, by, visibility, row.subject_id, missing)


async def lock_water_administration_to_edit(
    tx: Transaction, by: Principal, visibility: Visibility, water_id: UUID
) -> WaterAdministrationRow:
    """A water administration that the caller may change, locked. Raises NotFound and Forbidden."""
    row = await lock_by_id(tx.session, WaterAdministrationRow, water_id)
    await _subject_of(tx, by, visibility, row)
    return row


async def delete_water_administration(
    tx: Transaction, by: Principal, visibility: Visibility, water_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a water administration."""
    row = await lock_water_administration_to_edit(tx, by, visibility, water_id)
    return await delete_row(tx, by, visibility, "water-administration", row, dry_run=dry_run)

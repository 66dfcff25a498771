"""Weighings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.clock import fetch_now
from libs.common.db.rows import create_row, lock_by_id
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.weighings import Weighing, WeighingIn
from libs.common.visibility import Visibility
from services.metadata.domain.clock import time_or_now
from services.metadata.domain.repeats import Measured, is_repeat, repeat_notice
from services.metadata.models import UserRow, WeighingRow
from services.metadata.operations.deletions import delete_row
from services.metadata.operations.subject_names import subject_of_body, subject_of_record
from services.metadata.queries import references
from services.metadata.queries.subjects import lock_subject_by_id
from services.metadata.queries.weighings import fetch_weighing, fetch_weighings_between

_STORED: Final = StoredFields(WeighingIn, WeighingRow, handled={"subject", "date_time", "user"})


async def create_weighing(
    tx: Transaction, by: Principal, visibility: Visibility, body: WeighingIn, base_url: str, *, is_keyed: bool
) -> tuple[Weighing, str | None]:
    """Create a weighing; without a time it is of now, without a user it is the caller's.

    One that was created a moment ago is returned as it is, with a notice, unless the client sent a key.
    """
    subject = await subject_of_body(tx, by, visibility, body.subject)
    when = time_or_now(body.date_time, subject.zone, "date_time", datetime.now(UTC))
    user_id = await references.fetch_id(tx.session, UserRow, body.user, "user") or by.user_id
    if not is_keyed:
        measured = Measured(when.at, (body.weight,), is_stated=bool(body.date_time))
        repeated_id = await _find_repeated(tx, subject.id, measured)
        if repeated_id is not None:
            shown = await fetch_weighing(tx.session, visibility, repeated_id, base_url)
            return shown, repeat_notice("weighing", repeated_id)
    row = WeighingRow(
        id=uuid4(),
        subject_id=subject.id,
        user_id=user_id,
        date_time=when.text,
        date_time_at=when.at,
        **_STORED.values(body),
    )
    audited = {"subject": subject.nickname, "date_time": when.text, "weight": body.weight}
    await create_row(tx, "weighing", row, audited)
    return await fetch_weighing(tx.session, visibility, row.id, base_url), None


async def _find_repeated(tx: Transaction, subject_id: UUID, measured: Measured) -> UUID | None:
    """The weighing that this one repeats; of two at once, the second waits for the first at the subject's row."""
    await lock_subject_by_id(tx.session, subject_id)
    now = await fetch_now(tx.session)
    earlier = await fetch_weighings_between(tx.session, subject_id, *measured.times)
    return next((stored.id for stored in earlier if is_repeat(measured, stored, now)), None)


async def lock_weighing_to_edit(
    tx: Transaction, by: Principal, visibility: Visibility, weighing_id: UUID
) -> WeighingRow:
    """A weighing that the caller may change, locked. Raises NotFound and Forbidden."""
    row = await lock_by_id(tx.session, WeighingRow, weighing_id)
    await subject_of_record(tx, by, visibility, row.subject_id, f"There is no weighing {weighing_id}.")
    return row


async def delete_weighing(
    tx: Transaction, by: Principal, visibility: Visibility, weighing_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a weighing."""
    row = await lock_weighing_to_edit(tx, by, visibility, weighing_id)
    return await delete_row(tx, by, visibility, "weighing", row, dry_run=dry_run)

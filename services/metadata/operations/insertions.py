"""Probes in sessions."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from libs.common.db import Transaction
from libs.common.db.changes import apply, created, deleted
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Conflict, NotFound
from libs.common.schemas.experiments import InsertionIn
from libs.common.visibility import Visibility
from services.metadata.models import (
    InsertionRow,
)
from services.metadata.operations.actions import check_may_edit_action, subject_of, visible_action
from services.metadata.operations.house import REQUIRED, json_given, kept
from services.metadata.queries import references


async def _session_to_edit(tx: Transaction, by: Principal, seen: Visibility, session_id: UUID) -> None:
    action = await visible_action(tx, seen, "session", session_id)
    subject, _ = await subject_of(tx, action)
    await check_may_edit_action(tx, by, action, subject)


async def _insertion(tx: Transaction, by: Principal, seen: Visibility, which: UUID) -> InsertionRow:
    """An insertion to be changed. Raises NotFound if its session is not for the caller's eyes."""
    row: InsertionRow = await kept(tx, InsertionRow, which, "insertion")
    try:
        await _session_to_edit(tx, by, seen, row.session_id)
    except NotFound:
        raise NotFound(f"There is no insertion {which}.") from None
    return row


async def save_insertion(
    tx: Transaction, by: Principal, seen: Visibility, body: InsertionIn, which: UUID | None = None
) -> UUID:
    """Write a probe of a session down, or change it."""
    row: InsertionRow | None = None
    session_id = body.session
    if which is not None:
        row = await _insertion(tx, by, seen, which)
        session_id = session_id or row.session_id
    if session_id is None:
        raise BadRequest(fields={"session": REQUIRED})
    if row is None or session_id != row.session_id:
        try:
            await _session_to_edit(tx, by, seen, session_id)
        except NotFound:
            raise references.unknown("session", "pk", session_id) from None
    fields: dict[str, Any] = {"session_id": session_id} | json_given(body)
    fields |= {n: getattr(body, n) for n in ("name", "model", "serial") if getattr(body, n) is not None}
    if row is not None:
        apply(tx, "insertion", row, fields)
        row.auto_datetime = sa.func.now()
        return row.id
    if body.name is None:
        raise BadRequest(fields={"name": REQUIRED})
    twin = sa.exists().where(
        InsertionRow.session_id == session_id,
        InsertionRow.name == body.name,
        InsertionRow.deleted_at.is_(None),
    )
    if await tx.session.scalar(sa.select(twin)):
        raise Conflict(fields={"name": [f"The session has an insertion '{body.name}' already."]})
    row = InsertionRow(id=uuid4(), **fields)
    created(tx, "insertion", row, fields)
    return row.id


async def delete_insertion(tx: Transaction, by: Principal, seen: Visibility, which: UUID) -> None:
    """Take a probe out of sight."""
    deleted(tx, "insertion", await _insertion(tx, by, seen, which))

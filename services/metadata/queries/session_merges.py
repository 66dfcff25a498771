"""Merges of sessions: lists and details, and where a merged session's data are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from libs.common import visible
from libs.common.db import AnySession, ReadSession, WriteSession
from libs.common.db.json_pages import per_caller, request_value
from libs.common.db.pages import fetch_page
from libs.common.db.prepared import fetch_rows
from libs.common.problem import NotFound
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.session_merges import SessionMerge, SessionMergeDetail
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, SessionMergeRow, SubjectRow
from services.metadata.queries.list_filters.session_merges import SessionMergeFilters
from services.metadata.queries.merged_sessions import count_pending
from services.metadata.queries.visible import is_session_visible


def _select_merges(visibility: Visibility) -> sa.Select[Any]:
    """Merges, latest first, of sessions that the caller may know of: of the one that stays, also if it is deleted."""
    merged = aliased(ActionRow, name="merged")
    is_hidden = ~visible.is_session_row_visible(visibility, merged.id, merged.lab_id)
    hidden = sa.exists().where(merged.id == sa.any_(SessionMergeRow.session_ids), is_hidden)
    return (
        sa.select(*SessionMergeRow.__table__.columns, hidden.label("has_hidden"))
        .join(ActionRow, ActionRow.id == SessionMergeRow.into_id)
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .where(
            SubjectRow.deleted_at.is_(None),
            visible.is_session_row_visible(visibility, ActionRow.id, ActionRow.lab_id),
        )
        .order_by(SessionMergeRow.created_at.desc(), SessionMergeRow.id)
    )


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a merge. Those not taken are of sessions that the reader could see before these were merged."""
    fields = {name: row[name] for name in SessionMerge.model_fields if name in row}
    if row["has_hidden"]:
        fields["not_taken"] = []
    undo = None if row["undone_at"] else f"/undo/metadata/{row['audit_id']}"
    return fields | {
        "into": row["into_id"],
        "sessions": row["session_ids"],
        "moved": dict(sorted(row["moved"].items())),
        "is_dry_run": False,
        "undo": undo,
    }


async def list_merges(
    session: ReadSession, visibility: Visibility, filters: SessionMergeFilters, paging: PageRequest
) -> tuple[int, list[SessionMerge]]:
    """A page of merges, latest first, and the count of all."""
    statement = _select_merges(visibility).where(*filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [SessionMerge.model_validate(_values(row)) for row in rows]


async def fetch_merge(session: ReadSession, visibility: Visibility, merge_id: UUID) -> SessionMergeDetail:
    """One merge, and how much of it other services still have to do. Raises NotFound."""
    rows = await session.execute(_select_merges(visibility).where(SessionMergeRow.id == merge_id))
    row = rows.mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no merge of sessions {merge_id}.")
    is_undone = row["undone_at"] is not None
    pending = {} if is_undone else await count_pending(session, row["session_ids"], row["into_id"])
    return SessionMergeDetail.model_validate(_values(row) | {"pending": pending})


async def insert_merge(session: WriteSession, row: SessionMergeRow) -> None:
    """Add a merge."""
    session.add(row)
    await session.flush()


async def find_and_lock_merge(session: WriteSession, audit_id: int) -> SessionMergeRow | None:
    """The merge of an audit entry, locked."""
    statement = sa.select(SessionMergeRow).where(SessionMergeRow.audit_id == audit_id).with_for_update()
    return (await session.scalars(statement)).one_or_none()


async def fetch_later_sessions(session: AnySession, session_id: UUID) -> list[UUID]:
    """The sessions into which a session was merged, then that one, and so on; the last one has the data."""
    later: list[UUID] = []
    current: UUID | None = session_id
    while current is not None:
        rows = await fetch_rows(session, _select_into(), session_ids=[current])
        current = rows[0]["into_id"] if rows else None
        if current is not None:
            later.append(current)
    return later


@cache
def _select_into() -> sa.Select[Any]:
    merged = request_value("session_ids", sa.ARRAY(sa.Uuid()))
    return (
        sa.select(SessionMergeRow.into_id)
        .where(SessionMergeRow.session_ids.contains(merged), SessionMergeRow.undone_at.is_(None))
        .limit(1)
    )


async def missing_session(session: AnySession, visibility: Visibility, session_id: UUID) -> NotFound:
    """The problem of a session that the caller cannot see; it names the one with which it was merged, if visible."""
    text = f"There is no session {session_id}"
    later = await fetch_later_sessions(session, session_id)
    if later and await fetch_rows(session, _select_visible(visibility), session_id=later[-1]):
        return NotFound(f"{text}: it was merged into {later[-1]}.", extra={"merged_into": str(later[-1])})
    return NotFound(f"{text}.")


@per_caller
def _select_visible(visibility: Visibility) -> sa.Select[Any]:
    return sa.select(ActionRow.id).where(
        ActionRow.id == request_value("session_id", sa.Uuid()), is_session_visible(visibility)
    )

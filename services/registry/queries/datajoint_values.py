"""JSON files of analyses that tables of DataJoint are filled from, and events that change datasets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cingulum.stores import StoreKind
from libs.common.db import ReadSession, Transaction, WriteSession
from libs.common.events import CopyVerified, DatasetsMoved, FilesRegistered
from libs.common.schemas.states import CopyState
from services.registry.models import CopyRow, DatajointValueRow, DatasetRow, RepositoryRow, VersionRow
from services.registry.models.expressions import is_current_version
from services.registry.queries.columns import is_current_copy
from services.registry.queries.datajoint import RESULTS

FILES: Final = 50  # files that are read before their rows are written
EVENTS: Final = 1_000


class ResultFile(NamedTuple):
    """A file in the central store whose content is not known yet."""

    version_id: UUID
    name: str
    sha256: str
    size_bytes: int


async def fetch_unread_results(session: ReadSession, after: UUID) -> Sequence[ResultFile]:
    """Files that were never read, by id of the version: some of those after an id."""
    is_stored = sa.exists().where(
        is_current_copy(),
        CopyRow.state == CopyState.VERIFIED,
        RepositoryRow.id == CopyRow.repository_id,
        RepositoryRow.store.in_((StoreKind.LOCAL, StoreKind.S3)),
    )
    is_read = sa.exists().where(DatajointValueRow.version_id == VersionRow.id)
    statement = (
        sa.select(VersionRow.id, DatasetRow.name, VersionRow.sha256, VersionRow.size_bytes)
        .join(DatasetRow, is_current_version())
        .where(
            DatasetRow.name.in_(tuple(RESULTS)),
            DatasetRow.deleted_at.is_(None),
            DatasetRow.session_id.is_not(None),
            VersionRow.sha256.is_not(None),
            VersionRow.size_bytes.is_not(None),
            VersionRow.id > after,
            is_stored,
            ~is_read,
        )
        .order_by(VersionRow.id)
        .limit(FILES)
    )
    return [ResultFile._make(row) for row in await session.execute(statement)]


async def insert_value(
    session: WriteSession, version_id: UUID, rows: list[dict[str, Any]] | None, problem: str | None
) -> None:
    """Store what a file holds, or why it cannot be used."""
    values = {"version_id": version_id, "content": rows, "problem": problem}
    await session.execute(insert(DatajointValueRow).values(values).on_conflict_do_nothing())


async def fetch_changed_sessions(tx: Transaction, since: datetime) -> tuple[int, set[UUID]]:
    """Take the next events of registry's own that change datasets: their number, and the sessions they name.

    They count as handled once this transaction commits.
    """
    events, inbox = tx.tables.events, tx.tables.inbox
    subjects = [name for kind in (FilesRegistered, CopyVerified, DatasetsMoved) for name in kind.subjects()]
    statement = (
        sa.select(events.c.id, events.c.payload)
        .where(
            events.c.subject.in_(subjects),
            events.c.created_at > since,
            ~sa.exists().where(inbox.c.event_id == events.c.id),
        )
        .order_by(events.c.created_at, events.c.seq)
        .limit(EVENTS)
    )
    rows = (await tx.session.execute(statement)).all()
    if rows:
        handled = [{"event_id": row.id} for row in rows]
        await tx.session.execute(insert(inbox).on_conflict_do_nothing(), handled)
    named = [row.payload.get("session_ids") or [row.payload.get("session_id")] for row in rows]
    return len(rows), {UUID(text) for texts in named for text in texts if text}

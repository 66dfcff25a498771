"""Merges of sessions, as other services carry them out: from metadata's view, whatever order its events come in.

The view has the merges that are not undone. So an event of one that was undone before does nothing, and rows that
come late to a session that has been merged itself move on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession, WriteSession
from libs.common.db.transaction import Transaction
from libs.common.published import SESSION_MERGES, table


@dataclass(frozen=True)
class Merge:
    """The sessions that were merged into another one."""

    id: UUID
    session_ids: tuple[UUID, ...]
    into: UUID


async def lock_merges(tx: Transaction) -> None:
    """One transaction of a service moves rows between sessions at a time."""
    key = f"merges:{tx.tables.moved_rows.schema}"
    await tx.session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))


async def fetch_merges(session: WriteSession, merge_id: UUID) -> list[Merge]:
    """A merge and those of where it leads, in order; none if it was undone."""
    merged = table(SESSION_MERGES)
    merges: list[Merge] = []
    next_id: UUID | None = merge_id
    while next_id is not None and next_id not in {merge.id for merge in merges}:
        rows = (
            await session.execute(
                sa.select(merged.c.session_id, merged.c.into_id)
                .where(merged.c.merge_id == next_id)
                .order_by(merged.c.session_id)
            )
        ).all()
        if not rows:
            break
        merge = Merge(next_id, tuple(row.session_id for row in rows), rows[0].into_id)
        merges.append(merge)
        next_id = await session.scalar(sa.select(merged.c.merge_id).where(merged.c.session_id == merge.into))
    return merges


async def is_merged(session: ReadSession, session_id: UUID) -> bool:
    """Whether a session was merged into another one, and that was not undone."""
    merged = table(SESSION_MERGES)
    return bool(await session.scalar(sa.select(sa.exists().where(merged.c.session_id == session_id))))


def sessions_of(merges: list[Merge]) -> list[UUID]:
    """All sessions of merges, in the order in which they are locked."""
    return sorted({session_id for merge in merges for session_id in (*merge.session_ids, merge.into)})

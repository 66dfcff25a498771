"""Datasets of merged sessions move to the session that stays, and back where the merge is undone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from uuid import UUID

from libs.common.db import Transaction
from libs.common.db.moving import fetch_moved_sessions, move_back, move_rows
from libs.common.events import DatasetsMoved, SessionsUnmerged
from libs.common.merges import Merge, fetch_merges, lock_merges, sessions_of
from services.registry.domain.data_notices import notice_of_merge, render_html
from services.registry.models import DataNoticeRow
from services.registry.queries import session_merges as queries
from services.registry.queries.registration_locks import lock_registrations

PER_EVENT = 1_000  # datasets
_IMPORTANCE = 40


async def move_merged_datasets(tx: Transaction, merge_id: UUID) -> None:
    """Move the datasets of merged sessions, unless the merge was undone.

    One whose path was registered in the other session meanwhile stays, and a notice names it.
    """
    await lock_merges(tx)
    merges = await fetch_merges(tx.session, merge_id)
    session_ids = sessions_of(merges)
    await _lock_registrations(tx, session_ids)
    all_moved: set[UUID] = set()
    for merge in merges:
        moved = await move_rows(tx, merge.id, queries.DATASETS, merge.session_ids, merge.into)
        await queries.update_moved_defaults(tx, merge.id, moved)
        all_moved.update(moved)
        await _notify_of_left(tx, merge)
    _publish(tx, session_ids, sorted(all_moved))


async def _lock_registrations(tx: Transaction, session_ids: Iterable[UUID]) -> None:
    for session_id in session_ids:
        await lock_registrations(tx.session, session_id)


async def _notify_of_left(tx: Transaction, merge: Merge) -> None:
    paths = await queries.fetch_paths_left(tx.session, merge.session_ids)
    if not paths:
        return
    text = notice_of_merge(paths)
    notice = DataNoticeRow(
        id=merge.id,
        name="Merge of sessions",
        description=text,
        description_html=await asyncio.to_thread(render_html, text),
        importance=_IMPORTANCE,
    )
    await queries.insert_notice(tx.session, notice, merge.into, merge.session_ids)


async def move_datasets_back(tx: Transaction, event: SessionsUnmerged) -> None:
    """Move back the datasets that a merge moved, where they still are."""
    await lock_merges(tx)
    now = await fetch_moved_sessions(tx, event.merge_id, queries.DATASETS)
    session_ids = sorted({*event.session_ids, event.into, *now})
    await _lock_registrations(tx, session_ids)
    rows = await move_back(tx, event.merge_id, queries.DATASETS)
    former = [row.id for row in rows if row.content is not None]
    places = [place for row in rows for place in ((row.session_id, row.id), (row.left_id, row.id))]
    await queries.update_defaults_after_undo(tx.session, former, places)
    await queries.update_notice_deleted(tx.session, event.merge_id)
    _publish(tx, session_ids, [row.id for row in rows])


def _publish(tx: Transaction, session_ids: list[UUID], dataset_ids: list[UUID]) -> None:
    for start in range(0, len(dataset_ids), PER_EVENT):
        tx.publish(DatasetsMoved(session_ids=session_ids, dataset_ids=dataset_ids[start : start + PER_EVENT]))

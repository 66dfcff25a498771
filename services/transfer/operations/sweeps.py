"""Giving up what nobody will finish, and removing bytes that nobody needs.

Rows first, bytes after: a crash in between leaves rows that say what is still to be removed.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from libs.common.observability import logger
from libs.common.schemas.states import UploadState
from libs.common.storage import StillNamed, StorageProblem
from services.transfer import domain, queries
from services.transfer.models import UploadRow
from services.transfer.operations.dock import Dock

STRAY = timedelta(
    days=1
)  # parts without an upload: its announcement was rolled back, or a crash came in between
AWAY = 3  # failures in a row after which a round ends


async def sweep(dock: Dock) -> int:
    """Give up uploads whose attempt has ended without them, or that were idle for a week; how many."""
    swept, after = 0, None
    while True:
        async with dock.database.read_long() as read:
            now = await queries.clock(read)
            candidates = await queries.may_be_over(read, after, now)
        for found in candidates:
            swept += await _give_up(dock, found)
        if len(candidates) < queries.BATCH:
            break
        after = candidates[-1].upload.id
    await remove_left(dock)
    return swept


async def _give_up(dock: Dock, found: queries.Candidate) -> bool:
    """An ended attempt stays ended, so scheduler's word may be old; the upload itself is looked at anew."""
    async with dock.writer.begin() as tx:
        row = await queries.lock(tx.session, found.upload.id)
        now = await queries.clock(tx.session)
        if not domain.may_sweep(queries.value(row, {}), found.attempt, found.kept, now):
            return False
        row.state, row.swept_at = domain.sweep(queries.value(row, {})).state, now
        await queries.drop_parts(tx.session, row.id)
        tx.audit("delete", "upload", row.id, after={"state": str(UploadState.SWEPT)})
    return True


async def remove_left(dock: Dock) -> None:
    """Remove parts and objects of swept uploads, and parts that belong to no upload."""
    async with dock.database.read_long() as read:
        leaving = await queries.leaving(read)
        now = await queries.clock(read)
    await _one_by_one([(row.id, partial(_remove, dock, row)) for row in leaving])
    old = [pending.upload_id for pending in await dock.store.uploads() if pending.touched_at < now - STRAY]
    async with dock.database.read_long() as read:
        strays = await queries.unknown(read, old)
    await _one_by_one([(upload_id, partial(dock.store.discard, upload_id)) for upload_id in strays])


async def _one_by_one(removals: Sequence[tuple[UUID, Callable[[], Awaitable[object]]]]) -> None:
    """Remove, in any order; what cannot be removed keeps nothing else back, unless the store seems to be away."""
    in_a_row = 0
    for upload_id, remove in random.sample(removals, len(removals)):
        try:
            await remove()
        except (StorageProblem, OSError) as error:
            logger("sweep").warning(
                "its bytes cannot be removed yet", upload=str(upload_id), error=str(error)
            )
            in_a_row += 1
            if in_a_row == AWAY:
                return
        else:
            in_a_row = 0


async def _remove(dock: Dock, row: UploadRow) -> None:
    await dock.store.discard(row.id)
    await remove_unneeded(dock, [row.sha256] if row.sha256 else [])
    await _is_gone(dock, row)


async def _is_gone(dock: Dock, row: UploadRow) -> None:
    async with dock.writer.begin() as tx:
        kept = await queries.lock(tx.session, row.id)
        kept.removed_at = await queries.clock(tx.session)


async def remove_unneeded(dock: Dock, hashes: Iterable[str]) -> list[str]:
    """Remove those objects that no landed upload uses and registry does not count on; which."""
    removed: list[str] = []
    for sha256 in sorted(hashes):
        async with dock.writer.begin() as tx:
            await queries.lock_hashes(tx.session, [sha256])
            users = await queries.in_use(tx.session, dock.kind, sha256)
            if not domain.may_remove_object(sha256, users):
                continue
            if await queries.is_counted_on(tx.session, dock.kind, sha256):
                continue
            try:
                if await dock.store.delete(sha256):
                    removed.append(sha256)
            except StillNamed as named:
                logger("sweep").warning("an object stays", sha256=sha256, why=named.text)
    return removed

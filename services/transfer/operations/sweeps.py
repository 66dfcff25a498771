"""Sweeping abandoned uploads, and removing bytes that no upload needs.

Rows first, bytes after: a crash in between leaves rows that list what is still to be removed.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from libs.common.db.clock import fetch_now
from libs.common.observability import logger
from libs.common.schemas.states import UploadState
from libs.common.storage import StillLinked, StorageProblem
from services.transfer import domain
from services.transfer.operations.upload_context import UploadContext
from services.transfer.queries import objects, sweeps
from services.transfer.queries.parts import delete_parts
from services.transfer.queries.sweeps import BATCH, SweepCandidate, SweptUpload
from services.transfer.queries.uploads import lock_upload, upload_of

STRAY = timedelta(
    days=1
)  # parts without an upload: its announcement was rolled back, or a crash came in between
FAILURES_IN_A_ROW = 3  # after which a round ends: the store seems to be unavailable


async def sweep(context: UploadContext) -> int:
    """Sweep uploads whose attempt has ended without them, or that were idle for a week; returns how many."""
    n_swept, after = 0, None
    while True:
        async with context.database.read_long() as session:
            now = await fetch_now(session)
            candidates = await sweeps.list_sweep_candidates(session, after, now)
        for candidate in candidates:
            n_swept += await _sweep_upload(context, candidate)
        if len(candidates) < BATCH:
            break
        after = candidates[-1].upload.id
    await remove_swept(context)
    return n_swept


async def _sweep_upload(context: UploadContext, candidate: SweepCandidate) -> bool:
    """An ended attempt stays ended, so its state may be old; the upload itself is read again under its lock."""
    async with context.writer.begin() as tx:
        row = await lock_upload(tx.session, candidate.upload.id)
        now = await fetch_now(tx.session)
        upload = upload_of(row, {})
        if not domain.may_sweep(upload, candidate.attempt, candidate.outputs, now):
            return False
        row.state, row.swept_at = domain.sweep(upload).state, now
        await delete_parts(tx.session, row.id)
        tx.audit("delete", "upload", row.id, after={"state": str(UploadState.SWEPT)})
    return True


async def remove_swept(context: UploadContext) -> None:
    """Remove parts and objects of swept uploads, and parts that belong to no upload."""
    async with context.database.read_long() as session:
        swept = await sweeps.list_swept_uploads(session)
        now = await fetch_now(session)
    await _remove_each([(upload.id, partial(_remove, context, upload)) for upload in swept])
    pending = await context.store.uploads()
    old_ids = [upload.upload_id for upload in pending if upload.touched_at < now - STRAY]
    async with context.database.read_long() as session:
        strays = await sweeps.fetch_stray_ids(session, old_ids)
    await _remove_each([(upload_id, partial(context.store.discard, upload_id)) for upload_id in strays])


async def _remove_each(removals: Sequence[tuple[UUID, Callable[[], Awaitable[object]]]]) -> None:
    """Remove in random order; a failure does not stop the others, unless the store seems to be unavailable."""
    n_failures = 0
    for upload_id, remove in random.sample(removals, len(removals)):
        try:
            await remove()
        except (StorageProblem, OSError) as error:
            logger("sweep").warning(
                "bytes of an upload cannot be removed yet", upload=str(upload_id), error=str(error)
            )
            n_failures += 1
            if n_failures == FAILURES_IN_A_ROW:
                return
        else:
            n_failures = 0


async def _remove(context: UploadContext, upload: SweptUpload) -> None:
    await context.store.discard(upload.id)
    await remove_unneeded_objects(context, [upload.sha256] if upload.sha256 else [])
    async with context.writer.begin() as tx:
        row = await lock_upload(tx.session, upload.id)
        row.removed_at = await fetch_now(tx.session)


async def remove_unneeded_objects(context: UploadContext, hashes: Iterable[str]) -> list[str]:
    """Remove objects that no landed upload uses and registry does not count; returns their hashes."""
    removed: list[str] = []
    for sha256 in sorted(hashes):
        async with context.writer.begin() as tx:
            await objects.lock_hashes(tx.session, [sha256])
            uploads = await objects.list_uploads_of_object(tx.session, context.store_kind, sha256)
            if not domain.may_remove_object(sha256, uploads):
                continue
            if await objects.exists_copy_of_object(tx.session, context.store_kind, sha256):
                continue
            try:
                if await context.store.delete(sha256):
                    removed.append(sha256)
            except StillLinked as named:
                logger("sweep").warning("an object is kept", sha256=sha256, why=named.text)
    return removed

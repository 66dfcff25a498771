"""Parts of an upload: bytes received, checked and stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from cingulum.digests import Hasher
from libs.common.db.clock import fetch_now
from libs.common.permissions import Principal
from libs.common.problem import NotFound
from libs.common.schemas.states import UploadState
from libs.common.storage.digests import blocks_of
from services.transfer import domain
from services.transfer.operations.upload_context import UploadContext
from services.transfer.queries import parts, uploads


async def receive_part(
    context: UploadContext,
    by: Principal,
    upload_id: UUID,
    number: int,
    chunks: AsyncIterator[bytes],
    sha256: str | None,
) -> None:
    """Store one part; the same again changes nothing.

    Raises NotFound, BadPart, PartDiffers, UploadSwept, and what the store raises (ChecksumMismatch, StoreFull).
    """
    async with context.database.read() as session:
        record = await uploads.find_upload(session, upload_id, by, part=number)
    if record is None:
        raise NotFound("There is no such upload.")
    upload = record.upload
    _, size_bytes = domain.part_span(upload, number)
    bounded = _exactly(chunks, number, size_bytes)
    if upload.state in {UploadState.LANDED, UploadState.SWEPT} or number in upload.parts:
        domain.put_part(upload, number, await hash_part(bounded), upload.touched_at or record.created_at)
        return
    stored = await context.store.put_part(upload_id, number, bounded, sha256)
    part = domain.UploadPart(stored.size_bytes, stored.sha256)
    async with context.writer.begin(by) as tx:
        row = await uploads.lock_upload(tx.session, upload_id)
        now = await fetch_now(tx.session)
        before = uploads.upload_of(row, await parts.fetch_part(tx.session, upload_id, number))
        after = domain.put_part(before, number, part, now)
        if after != before:
            await parts.insert_part(tx.session, upload_id, number, part)
            row.state, row.touched_at = after.state, now


async def _exactly(chunks: AsyncIterator[bytes], number: int, size_bytes: int) -> AsyncIterator[bytes]:
    """The same bytes, if they are as many as the part has: neither the disk nor the hasher gets more."""
    n_received = 0
    async for chunk in chunks:
        n_received += len(chunk)
        if n_received > size_bytes:
            raise domain.BadPart(f"Part {number} has {size_bytes} bytes; more were received.")
        yield chunk
    if n_received != size_bytes:
        raise domain.BadPart(f"Part {number} has {size_bytes} bytes; {n_received} were sent.")


async def hash_part(chunks: AsyncIterator[bytes]) -> domain.UploadPart:
    """Size and SHA-256 of a stream, hashed in a thread."""
    hasher = Hasher(md5=False)
    async for block in blocks_of(chunks):
        await asyncio.to_thread(hasher.update, block)
    return domain.UploadPart(hasher.size_bytes, hasher.digests().sha256)

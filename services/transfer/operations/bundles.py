"""Bundles: many small files in one request, which land all together or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

from cingulum.digests import Digests
from libs.common.db import Once, Transaction
from libs.common.permissions import Principal
from libs.common.problem import Conflict
from libs.common.schemas.bundles import Bundle, Bundled, BundledIn
from services.transfer import domain
from services.transfer.operations.facts import completed
from services.transfer.operations.references import check_references
from services.transfer.operations.sweeps import remove_unneeded_objects
from services.transfer.operations.upload_context import UploadContext
from services.transfer.queries import objects, uploads
from services.transfer.queries.uploads import LandedUpload

BATCH_BYTES = 32 * 2**20  # buffered in memory until one round of fsync has stored them


async def land_bundle(
    context: UploadContext,
    by: Principal,
    files: Sequence[BundledIn],
    chunks: AsyncIterator[bytes],
    once: Once,
) -> Bundle:
    """Store the files, whose bytes follow one another, and insert all of them as landed, once.

    Raises BadBundle, HashDiffers (`files` names the wrong ones), and what `check_references` raises.
    """
    entries = [domain.BundleEntry(file.size_bytes, file.sha256) for file in files]
    domain.check_bundle(entries)
    async with context.database.read() as session:
        await check_references(session, files, by, context.store_kind)
    stored: list[Digests] = []
    try:
        async for batch in _batches([entry.size_bytes for entry in entries], chunks):
            stored += await context.store.put_many(batch)
        domain.check_bundled(entries, stored)
        async with context.writer.begin(by) as tx:
            await once.claim(tx)
            bundle = Bundle(uploads=await _insert(tx, context, by, files, stored))
            await once.remember(tx, 201, bundle.model_dump_json().encode())
            return bundle
    except BaseException:
        await remove_unneeded_objects(context, {digest.sha256 for digest in stored})
        raise


async def _batches(sizes: Sequence[int], chunks: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Cut the stream into files, some 32 MiB of them at a time. Raises BadBundle if bytes are missing or left over."""
    rest, batch, batch_bytes, next_file = bytearray(), list[bytes](), 0, 0
    async for chunk in _with_empty_end(chunks):
        rest += chunk
        start = 0
        while next_file < len(sizes) and len(rest) - start >= sizes[next_file]:
            batch.append(bytes(rest[start : start + sizes[next_file]]))
            start, batch_bytes = start + sizes[next_file], batch_bytes + sizes[next_file]
            next_file += 1
        del rest[:start]
        if next_file == len(sizes) and rest:
            raise domain.BadBundle("The body has more bytes than the list declares.")
        if batch_bytes >= BATCH_BYTES:
            yield batch
            batch, batch_bytes = [], 0
    if next_file < len(sizes):
        raise domain.BadBundle(f"The body ends within file {next_file} of {len(sizes)}.")
    if batch:
        yield batch


async def _with_empty_end(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same with an empty chunk at the end, so that empty files at the end of the list are cut, too."""
    async for chunk in chunks:
        yield chunk
    yield b""


async def _insert(
    tx: Transaction,
    context: UploadContext,
    by: Principal,
    files: Sequence[BundledIn],
    digests: Sequence[Digests],
) -> list[Bundled]:
    hashes = {digest.sha256 for digest in digests}
    await objects.lock_hashes(tx.session, hashes)
    if not all([await context.has_object(sha256) for sha256 in hashes]):
        raise Conflict("A file of the bundle was deleted concurrently because it was unused: send it again.")
    landed = [
        LandedUpload(
            uuid4(),
            by.user_id,
            file.name,
            digest,
            context.store_kind,
            file.copy_id,
            file.job_id,
            file.token,
        )
        for file, digest in zip(files, digests, strict=True)
    ]
    await uploads.insert_landed_uploads(tx.session, landed)
    n_bytes = sum(digest.size_bytes for digest in digests)
    tx.audit("create", "bundle", uuid4(), after={"files": len(landed), "bytes": n_bytes})
    for upload in landed:
        tx.publish(completed(upload.id, upload.digests))
    return [
        Bundled(id=upload.id, sha256=upload.digests.sha256, size_bytes=upload.digests.size_bytes)
        for upload in landed
    ]

"""Many small files in one request: all of them land, or none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import sqlalchemy as sa

from cingulum.digests import Digests
from libs.common.db import Once, Transaction
from libs.common.events import UploadCompleted
from libs.common.permissions import Principal
from libs.common.problem import Conflict
from libs.common.schemas.states import UploadState
from libs.common.schemas.uploads import Bundle, Bundled, BundledIn
from services.transfer import domain, queries
from services.transfer.models import UploadRow
from services.transfer.operations import references
from services.transfer.operations.dock import Dock
from services.transfer.operations.sweeps import remove_unneeded

AT_ONCE = 250  # rows a statement: other requests get their turn in between
TOGETHER_BYTES = 32 * 2**20  # held in memory until one round of fsync has stored them


async def bring(
    dock: Dock, by: Principal, files: Sequence[BundledIn], chunks: AsyncIterator[bytes], once: Once
) -> Bundle:
    """Store the files, whose bytes follow one another, and write them all down as landed, once.

    Raises BadBundle, HashDiffers (`files` names the wrong ones), and what `references.check` raises.
    """
    entries = [domain.BundleEntry(file.size_bytes, file.sha256) for file in files]
    domain.check_bundle(entries)
    async with dock.database.read() as read:
        await references.check(read, files, by, dock.kind)
    stored: list[Digests] = []
    try:
        async for together in _batches([entry.size_bytes for entry in entries], chunks):
            stored += await dock.store.put_many(together)
        domain.check_bundled(entries, stored)
        async with dock.writer.begin(by) as tx:
            await once.claim(tx)
            bundle = Bundle(uploads=await _write_down(tx, dock, by, files, stored))
            await once.remember(tx, 201, bundle.model_dump_json().encode())
            return bundle
    except BaseException:
        await remove_unneeded(dock, {digest.sha256 for digest in stored})
        raise


async def _batches(sizes: Sequence[int], chunks: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Cut the stream into files, some 32 MiB of them at a time. Raises BadBundle if bytes are missing or left over."""
    rest, together, held, next_file = bytearray(), list[bytes](), 0, 0
    async for chunk in _and_end(chunks):
        rest += chunk
        start = 0
        while next_file < len(sizes) and len(rest) - start >= sizes[next_file]:
            together.append(bytes(rest[start : start + sizes[next_file]]))
            start, held, next_file = start + sizes[next_file], held + sizes[next_file], next_file + 1
        del rest[:start]
        if next_file == len(sizes) and rest:
            raise domain.BadBundle("More bytes came than the list says.")
        if held >= TOGETHER_BYTES:
            yield together
            together, held = [], 0
    if next_file < len(sizes):
        raise domain.BadBundle(f"The bytes end within file {next_file} of {len(sizes)}.")
    if together:
        yield together


async def _and_end(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same, with an empty piece at the end: files of no bytes have nothing to come with."""
    async for chunk in chunks:
        yield chunk
    yield b""


async def _write_down(
    tx: Transaction, dock: Dock, by: Principal, files: Sequence[BundledIn], found: Sequence[Digests]
) -> list[Bundled]:
    hashes = {read.sha256 for read in found}
    await queries.lock_hashes(tx.session, hashes)
    if not all([await dock.holds(sha256) for sha256 in hashes]):
        raise Conflict("A file of the bundle was removed at this moment, as nobody needed it: send it again.")
    now = await queries.clock(tx.session)
    rows = [
        {
            "id": uuid4(),
            "owner_id": by.user_id,
            "name": file.name,
            "state": str(UploadState.LANDED),
            "size_bytes": read.size_bytes,
            "part_bytes": domain.part_bytes(read.size_bytes),
            "sha256": read.sha256,
            "md5": read.md5,
            "store": dock.kind,
            "copy_id": file.copy_id,
            "job_id": file.job_id,
            "token": file.token,
            "created_at": now,
            "touched_at": now,
            "completed_at": now,
        }
        for file, read in zip(files, found, strict=True)
    ]
    for start in range(0, len(rows), AT_ONCE):
        await tx.session.execute(sa.insert(UploadRow), rows[start : start + AT_ONCE])
    bundle = uuid4()
    tx.audit(
        "create", "bundle", bundle, after={"files": len(rows), "bytes": sum(r.size_bytes for r in found)}
    )
    landed = []
    for row, read in zip(rows, found, strict=True):
        landed.append(Bundled(id=row["id"], sha256=read.sha256, size_bytes=read.size_bytes))
        tx.publish(
            UploadCompleted(
                upload_id=landed[-1].id, sha256=read.sha256, md5=read.md5, size_bytes=read.size_bytes
            )
        )
    return landed

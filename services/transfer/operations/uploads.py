"""One file: announced, sent in parts, landed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID, uuid4

from cingulum.digests import Digests, Hasher
from libs.common.db import Transaction
from libs.common.events import UploadCompleted
from libs.common.permissions import Principal
from libs.common.problem import NotFound
from libs.common.schemas.states import UploadState
from libs.common.schemas.uploads import UploadIn
from libs.common.storage import ChecksumMismatch, ObjectMissing, PartsMissing
from libs.common.storage.digests import blocks_of
from services.transfer import domain, queries
from services.transfer.models import UploadRow
from services.transfer.operations import references
from services.transfer.operations.dock import Dock

Shown = tuple[UploadRow, domain.Upload]


async def open_upload(tx: Transaction, dock: Dock, new: UploadIn, by: Principal) -> Shown:
    """Announce a file. Bytes that the caller has sent, or may know a dataset of, are not sent again: it has landed.

    All others are sent, whether they are here or not, and stored once: the answer tells nothing of what is here.
    """
    await references.check(tx.session, [new], by, dock.kind)
    known = None
    if new.sha256 is not None:
        await queries.lock_hashes(tx.session, [new.sha256])
        known = await queries.known(tx.session, dock.kind, new.sha256, by)
        if known is not None and not await dock.holds(new.sha256):
            known = None
    now = await queries.clock(tx.session)
    row = a_row(new, by, dock.kind, now)
    started = domain.announce(queries.value(row, {}), known, now)
    tx.session.add(row)
    tx.audit("create", "upload", row.id, after=new.model_dump(mode="json", exclude_defaults=True))
    if started.state is UploadState.LANDED:
        _landed(tx, row, started)
    return row, started


def a_row(new: UploadIn, by: Principal, kind: str, now: datetime) -> UploadRow:
    """The row of a file that is announced now."""
    return UploadRow(
        id=uuid4(),
        owner_id=by.user_id,
        name=new.name,
        state=UploadState.ANNOUNCED,
        size_bytes=new.size_bytes,
        part_bytes=domain.part_bytes(new.size_bytes),
        sha256=new.sha256,
        md5=None,
        store=kind,
        copy_id=new.copy_id,
        job_id=new.job_id,
        token=new.token,
        created_at=now,
        touched_at=now,
        completed_at=None,
    )


def _landed(tx: Transaction, row: UploadRow, upload: domain.Upload) -> None:
    found = upload.found
    assert found is not None  # noqa: S101 - for the type checker: `announce` and `land` have set it
    row.state, row.sha256, row.md5 = UploadState.LANDED, found.sha256, found.md5
    row.touched_at = row.completed_at = upload.touched_at or row.created_at
    tx.publish(
        UploadCompleted(upload_id=row.id, sha256=found.sha256, md5=found.md5, size_bytes=found.size_bytes)
    )


async def show(dock: Dock, upload_id: UUID, by: Principal) -> Shown:
    """One of the caller's uploads, with its parts. Raises NotFound."""
    async with dock.database.read() as read:
        row = await queries.find(read, upload_id, by)
        if row is None:
            raise NotFound("There is no such upload.")
        return row, queries.value(row, (await queries.parts(read, [row.id]))[row.id])


async def receive_part(
    dock: Dock, by: Principal, upload_id: UUID, number: int, chunks: AsyncIterator[bytes], sha256: str | None
) -> None:
    """Store one part and write it down; the same again changes nothing.

    Raises NotFound, BadPart, PartDiffers, UploadSwept, and what the store raises (ChecksumMismatch, StoreFull).
    """
    async with dock.database.read() as read:
        row = await queries.find(read, upload_id, by)
        if row is None:
            raise NotFound("There is no such upload.")
        upload = queries.value(row, await queries.part(read, upload_id, number))
    _, size_bytes = domain.part_span(upload, number)
    bounded = _exactly(chunks, number, size_bytes)
    if upload.state in {UploadState.LANDED, UploadState.SWEPT} or number in upload.parts:
        domain.put_part(upload, number, await _hashed(bounded), row.touched_at)
        return
    stored = await dock.store.put_part(upload_id, number, bounded, sha256)
    part = domain.Part(stored.size_bytes, stored.sha256)
    async with dock.writer.begin(by) as tx:
        row = await queries.lock(tx.session, upload_id)
        now = await queries.clock(tx.session)
        before = queries.value(row, await queries.part(tx.session, upload_id, number))
        after = domain.put_part(before, number, part, now)
        if after != before:
            await queries.keep_part(tx.session, upload_id, number, part)
            row.state, row.touched_at = after.state, now


async def _exactly(chunks: AsyncIterator[bytes], number: int, size_bytes: int) -> AsyncIterator[bytes]:
    """The same bytes, if they are as many as the part has: neither a disk nor a hash is fed with more."""
    came = 0
    async for chunk in chunks:
        came += len(chunk)
        if came > size_bytes:
            raise domain.BadPart(f"Part {number} has {size_bytes} bytes, and more came.")
        yield chunk
    if came != size_bytes:
        raise domain.BadPart(f"Part {number} has {size_bytes} bytes, and {came} came.")


async def _hashed(chunks: AsyncIterator[bytes]) -> domain.Part:
    hasher = Hasher(md5=False)
    async for block in blocks_of(chunks):
        await asyncio.to_thread(hasher.update, block)
    return domain.Part(hasher.size_bytes, hasher.digests().sha256)


async def complete(dock: Dock, by: Principal, upload_id: UUID, claimed: str) -> tuple[Shown, bool]:
    """Read all bytes, and let the file land; whether that is done, or still being read (then ask again).

    Raises NotFound, PartMissing, HashDiffers (all parts are wanted again), UploadSwept.
    """
    row, upload = await show(dock, upload_id, by)
    domain.check_whole(upload, claimed)
    if upload.state is UploadState.LANDED and upload.found is not None:
        domain.land(upload, claimed, upload.found, row.touched_at)
        return (row, upload), True
    done = await dock.once((upload_id, claimed), lambda: _finish(dock, by, upload, claimed))
    return await show(dock, upload_id, by), done


async def _finish(dock: Dock, by: Principal, upload: domain.Upload, claimed: str) -> None:
    found = await _read_all(dock, upload, claimed)
    async with dock.writer.begin(by) as tx:
        await queries.lock_hashes(tx.session, [claimed])
        if found.sha256 == claimed and not await dock.holds(claimed):
            found = _NOTHING  # a sweep took the object between its assembly and this lock
        row = await queries.lock(tx.session, upload.id)
        now = await queries.clock(tx.session)
        held = (await queries.parts(tx.session, [row.id]))[row.id]
        after, is_new = domain.land(queries.value(row, held), claimed, found, now)
        if is_new:
            _landed(tx, row, after)
            tx.audit("update", "upload", row.id, after={"state": row.state, "sha256": row.sha256})
        elif after.state is UploadState.ANNOUNCED:
            row.state, row.touched_at = after.state, now
            await queries.drop_parts(tx.session, row.id)
    if after.state is UploadState.ANNOUNCED:
        await dock.store.discard(upload.id)
        raise domain.HashDiffers(
            f"The bytes that arrived hash to {found.sha256 or 'nothing whole'}, not to {claimed}: send all parts again."
        )


_NOTHING = Digests(size_bytes=-1, sha256="")


async def _read_all(dock: Dock, upload: domain.Upload, claimed: str) -> Digests:
    try:
        digest = await dock.store.assemble(upload.id, domain.part_count(upload), claimed)
    except ChecksumMismatch as mismatch:
        return Digests(size_bytes=upload.size_bytes, sha256=mismatch.actual)
    except PartsMissing:  # assembled before a crash came in between, or lost with a disk
        try:
            digest = await dock.store.prove(claimed)
            same_size = digest.size_bytes == upload.size_bytes
            if not same_size or not await _is_made_of_parts(dock, upload, claimed):
                return _NOTHING
        except ObjectMissing:
            return _NOTHING
    return digest


async def _is_made_of_parts(dock: Dock, upload: domain.Upload, sha256: str) -> bool:
    """Whether an object is what this upload's parts were: only who sent all of its bytes may land on it."""
    for number in range(domain.part_count(upload)):
        start, size_bytes = domain.part_span(upload, number)
        async with dock.store.open(sha256, start, start + size_bytes) as reading:
            found = await _hashed(reading.chunks)
        if found != upload.parts.get(number):
            return False
    return True

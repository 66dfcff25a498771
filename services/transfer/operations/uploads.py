"""Uploads of one file: announced, shown, completed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from cingulum.digests import Digests
from cingulum.stores import StoreKind
from libs.common.db import Transaction
from libs.common.db.clock import fetch_now
from libs.common.permissions import Principal
from libs.common.problem import NotFound
from libs.common.schemas.states import UploadState
from libs.common.schemas.uploads import UploadIn
from libs.common.storage import ChecksumMismatch, ObjectMissing, PartsMissing
from services.transfer import domain
from services.transfer.models import UploadRow
from services.transfer.operations.facts import completed
from services.transfer.operations.parts import hash_part
from services.transfer.operations.references import check_references
from services.transfer.operations.upload_context import UploadContext
from services.transfer.queries import objects, parts, uploads
from services.transfer.queries.uploads import UploadRecord


async def open_upload(tx: Transaction, context: UploadContext, new: UploadIn, by: Principal) -> UploadRecord:
    """Announce a file. Bytes that the caller has uploaded, or can see a dataset of, are not sent again: it has landed.

    All others are sent, whether they are in the store or not, and stored once: the answer does not reveal which.
    """
    await check_references(tx.session, [new], by, context.store_kind)
    known = None
    if new.sha256 is not None:
        await objects.lock_hashes(tx.session, [new.sha256])
        known = await objects.find_known_digests(tx.session, context.store_kind, new.sha256, by)
        if known is not None and not await context.has_object(new.sha256):
            known = None
    now = await fetch_now(tx.session)
    row = _new_row(new, by, context.store_kind, now)
    upload = domain.announce(uploads.upload_of(row, {}), known, now)
    uploads.insert_upload(tx.session, row)
    tx.audit("create", "upload", row.id, after=new.model_dump(mode="json", exclude_defaults=True))
    if upload.state is UploadState.LANDED:
        _land(tx, row, upload)
    return uploads.record_of(row, upload.parts)


def _new_row(new: UploadIn, by: Principal, store_kind: StoreKind, now: datetime) -> UploadRow:
    return UploadRow(
        id=uuid4(),
        owner_id=by.user_id,
        state=UploadState.ANNOUNCED,
        part_bytes=domain.part_bytes(new.size_bytes),
        md5=None,
        store=store_kind,
        created_at=now,
        touched_at=now,
        completed_at=None,
        **new.model_dump(),  # every field is a column: one that is not fails here
    )


def _land(tx: Transaction, row: UploadRow, upload: domain.AnnouncedUpload) -> None:
    digests = upload.digests
    assert digests is not None  # noqa: S101 - for the type checker: `announce` and `land` have set it
    row.state, row.sha256, row.md5 = UploadState.LANDED, digests.sha256, digests.md5
    row.touched_at = row.completed_at = upload.touched_at or row.created_at
    tx.publish(completed(row.id, digests))


async def read_upload(context: UploadContext, upload_id: UUID, by: Principal) -> UploadRecord:
    """One of the caller's uploads, with its parts. Raises NotFound."""
    async with context.database.read() as session:
        record = await uploads.find_upload(session, upload_id, by)
    if record is None:
        raise NotFound("There is no such upload.")
    return record


async def complete_upload(
    context: UploadContext, by: Principal, upload_id: UUID, claimed_sha256: str
) -> tuple[UploadRecord, bool]:
    """Read all bytes and land the file; the flag is False while they are still being read (retry then).

    Raises NotFound, PartMissing, HashDiffers (all parts are missing again), UploadSwept.
    """
    record = await read_upload(context, upload_id, by)
    upload = record.upload
    domain.check_complete(upload, claimed_sha256)
    if upload.state is UploadState.LANDED and upload.digests is not None:
        domain.land(upload, claimed_sha256, upload.digests, upload.touched_at or record.created_at)
        return record, True
    key = (upload_id, claimed_sha256)
    is_done = await context.run_once(key, lambda: _finish(context, by, upload, claimed_sha256))
    return await read_upload(context, upload_id, by), is_done


async def _finish(
    context: UploadContext, by: Principal, upload: domain.AnnouncedUpload, claimed_sha256: str
) -> None:
    digests = await _read_all(context, upload, claimed_sha256)
    async with context.writer.begin(by) as tx:
        await objects.lock_hashes(tx.session, [claimed_sha256])
        if digests.sha256 == claimed_sha256 and not await context.has_object(claimed_sha256):
            digests = _NOTHING  # a sweep removed the object between its assembly and this lock
        row = await uploads.lock_upload(tx.session, upload.id)
        now = await fetch_now(tx.session)
        stored = (await parts.fetch_parts(tx.session, [row.id]))[row.id]
        after, is_new = domain.land(uploads.upload_of(row, stored), claimed_sha256, digests, now)
        if is_new:
            _land(tx, row, after)
            tx.audit("update", "upload", row.id, after={"state": row.state, "sha256": row.sha256})
        elif after.state is UploadState.ANNOUNCED:
            row.state, row.touched_at = after.state, now
            await parts.delete_parts(tx.session, row.id)
    if after.state is UploadState.ANNOUNCED:
        await context.store.discard(upload.id)
        raise domain.HashDiffers(
            f"The uploaded bytes have the SHA-256 {digests.sha256 or 'unknown'}, not {claimed_sha256}: "
            "send all parts again."
        )


_NOTHING = Digests(size_bytes=-1, sha256="")


async def _read_all(context: UploadContext, upload: domain.AnnouncedUpload, claimed_sha256: str) -> Digests:
    try:
        digests = await context.store.assemble(upload.id, domain.part_count(upload), claimed_sha256)
    except ChecksumMismatch as mismatch:
        return Digests(size_bytes=upload.size_bytes, sha256=mismatch.actual)
    except PartsMissing:  # assembled before a crash came in between, or lost with a disk
        try:
            digests = await context.store.prove(claimed_sha256)
            is_same_size = digests.size_bytes == upload.size_bytes
            if not is_same_size or not await _is_made_of_parts(context, upload, claimed_sha256):
                return _NOTHING
        except ObjectMissing:
            return _NOTHING
    return digests


async def _is_made_of_parts(context: UploadContext, upload: domain.AnnouncedUpload, sha256: str) -> bool:
    """Whether an object consists of this upload's parts: only a caller who sent all of its bytes may land on it."""
    for number in range(domain.part_count(upload)):
        start, size_bytes = domain.part_span(upload, number)
        async with context.store.open(sha256, start, start + size_bytes) as reading:
            part = await hash_part(reading.chunks)
        if part != upload.parts.get(number):
            return False
    return True

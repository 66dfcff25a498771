"""Proofs of copies: what was read decides whether they are verified or suspect."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from cingulum.digests import Digests
from cingulum.stores import StoreKind
from libs.common.db import Transaction
from libs.common.events import CopyVerified, ObjectDamaged, UploadCompleted
from libs.common.observability import logger
from libs.common.permissions import Principal, may_on
from libs.common.problem import Conflict, Forbidden, NotFound
from libs.common.schemas.states import CopyState
from libs.common.scopes import Permission
from libs.common.visibility import Visibility
from services.registry.domain.copies import CopyFact, after, is_foreign, prove
from services.registry.operations.central_store import CentralStore
from services.registry.queries import proofs as queries
from services.registry.queries.copies import update_copy
from services.registry.queries.datasets import update_auto_datetime
from services.registry.queries.proofs import LockedCopy


async def upload_completed(tx: Transaction, central: CentralStore, event: UploadCompleted) -> None:
    """Verify the copy of an upload, or make it suspect if its bytes are not those that were registered."""
    upload = (await queries.fetch_uploads(tx.session, [event.upload_id])).get(event.upload_id)
    if upload is None or upload.copy_id is None:
        return  # an output of a job: registered when the job is complete
    copy = await queries.find_and_lock_copy(tx.session, upload.copy_id)
    if copy is None:
        logger("registry").info("the copy of an upload does not exist", copy_id=str(upload.copy_id))
        return
    digests = Digests(size_bytes=event.size_bytes, sha256=event.sha256, md5=event.md5)
    if is_foreign(copy.version, copy.state, digests):
        text = f"other bytes were uploaded for it (SHA-256 {digests.sha256}); its own are kept"
        tx.audit("copy.upload-ignored", "copy", copy.copy_id, after={"notice": text})
        return
    await _prove(tx, copy, digests, f"upload {event.upload_id}", central)


async def object_damaged(tx: Transaction, event: ObjectDamaged) -> None:
    """Make the copies of a damaged object suspect until its bytes are replaced."""
    text = f"the stored object was damaged: its SHA-256 was {event.found_sha256}"
    for copy_id in await queries.fetch_copies_of_object(tx.session, event.store, event.sha256):
        copy = await queries.find_and_lock_copy(tx.session, copy_id)
        if copy is None or (state := after(copy.state, CopyFact.DOUBTED)) is copy.state:
            continue
        await update_copy(tx.session, copy_id, state=str(state), notice=text, order_proof=False)
        await update_auto_datetime(tx.session, [copy.dataset_id])
        _audit_suspect(tx, copy_id, text)


async def prove_copy(
    tx: Transaction, by: Principal, visibility: Visibility, copy_id: UUID, digests: Digests
) -> None:
    """Prove a copy that the agent of its repository has read. Raises NotFound, Forbidden, Conflict.

    Only a token for that repository counts: no user's claim verifies a copy, or makes one suspect.
    """
    location = await queries.find_copy_location(tx.session, visibility, copy_id)
    if location is None:
        raise NotFound(f"There is no copy {copy_id}.")
    if not may_on(by, Permission.PROVE, replace(location.target, repository_id=location.repository_id)):
        raise Forbidden(
            f"Only the agent of {location.repository} can prove its files: its token has the scope "
            f"repository:{location.repository}:prove."
        )
    if location.store != StoreKind.AGENT:
        raise Conflict(
            "Only copies in an agent's repository are proved by its agent: the central store reads its own copies."
        )
    copy = await queries.find_and_lock_copy(tx.session, copy_id)
    if copy is None:
        raise NotFound(f"There is no copy {copy_id}.")
    await _prove(tx, copy, digests, f"read by {by.username}", None)


async def _prove(
    tx: Transaction, copy: LockedCopy, digests: Digests, how: str, central: CentralStore | None
) -> None:
    """Write the result of a full read; `central` is the store of the bytes, if it is our own."""
    proof = prove(copy.version, copy.state, digests)
    is_verified = proof.state is CopyState.VERIFIED
    if central is not None and is_verified and copy.is_current:
        await central.show({copy.tree_name: digests.sha256})
    await queries.update_version(tx.session, copy.dataset_id, proof.version)
    proved = {"proved_at": datetime.now(UTC), "proved_how": how} if is_verified else {}
    await update_copy(
        tx.session, copy.copy_id, state=str(proof.state), notice=proof.notice, order_proof=False, **proved
    )
    if proof.state is not copy.state:
        await update_auto_datetime(tx.session, [copy.dataset_id])
    if proof.notice and proof.state is not copy.state:
        _audit_suspect(tx, copy.copy_id, proof.notice)
    elif is_verified and proof.state is not copy.state:
        publish_verified(tx, copy.dataset_id, copy.copy_id, copy.session_id, digests.sha256)


def _audit_suspect(tx: Transaction, copy_id: UUID, notice: str) -> None:
    tx.audit("copy.suspect", "copy", copy_id, after={"notice": notice})


def publish_verified(
    tx: Transaction, dataset_id: UUID, copy_id: UUID, session_id: UUID | None, sha256: str
) -> None:
    """Audit and publish that a copy is verified."""
    tx.audit("copy.verified", "copy", copy_id, after={"sha256": sha256})
    tx.publish(CopyVerified(dataset_id=dataset_id, copy_id=copy_id, session_id=session_id, sha256=sha256))

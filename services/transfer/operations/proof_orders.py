"""Proof orders: copies in the central store that registry wants read in full, where their bytes are here already.

An agent fetches its own orders from registry; those of the central store are carried out here.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from cingulum.digests import Digests
from cingulum.stores import StoreKind
from libs.common.db import Transaction
from libs.common.events import ObjectDamaged, ProofOrdered
from libs.common.observability import logger
from libs.common.storage import ObjectMissing, StorageProblem
from services.transfer.operations.facts import completed
from services.transfer.operations.upload_context import UploadContext
from services.transfer.queries import objects, proof_orders, references, uploads
from services.transfer.queries.proof_orders import ProofOrder
from services.transfer.queries.uploads import LandedUpload

NO_OWNER = UUID(int=0)  # of uploads that no caller has sent


async def add_proof_orders(tx: Transaction, store_kind: StoreKind, event: ProofOrdered) -> None:
    """Store an order for each copy of the central store."""
    copies = await references.fetch_copies(tx.session, event.copy_ids)
    copy_ids = [copy.id for copy in copies.values() if copy.store == store_kind]
    await proof_orders.insert_proof_orders(tx.session, copy_ids)


async def carry_out_proof_orders(context: UploadContext) -> int:
    """Read the bytes of ordered copies that are in the store; returns how many were proved.

    An order whose bytes are not here is deleted: the upload that brings them names the copy. One that cannot be read
    now is kept, and does not delay the others.
    """
    async with context.database.read_long() as session:
        orders = await proof_orders.list_proof_orders(session, context.store_kind)
    n_proved = 0
    for order in orders:
        try:
            n_proved += await _carry_out(context, order)
        except (StorageProblem, OSError) as error:
            logger("proof_orders").warning(
                "a copy could not be read", copy_id=str(order.copy_id), error=str(error)
            )
    return n_proved


async def _carry_out(context: UploadContext, order: ProofOrder) -> bool:
    digests = await _prove(context, order.sha256)
    async with context.writer.begin() as tx:
        if digests is not None:
            await objects.lock_hashes(tx.session, [digests.sha256])
        was_deleted = await proof_orders.delete_proof_order(tx.session, order.copy_id)
        if digests is None or not was_deleted:
            return False
        if digests.sha256 != order.sha256:
            _publish_damage(tx, context.store_kind, str(order.sha256), digests)
            return False
        if not await context.has_object(digests.sha256):
            return False
        await _land(tx, context.store_kind, order, digests)
    return True


async def _prove(context: UploadContext, sha256: str | None) -> Digests | None:
    """The digests of a full read of an object; None if the store does not have it."""
    try:
        return await context.store.prove(sha256) if sha256 else None
    except ObjectMissing:
        return None


def _publish_damage(tx: Transaction, store_kind: StoreKind, sha256: str, digests: Digests) -> None:
    logger("proof_orders").error("an object in the store is damaged", sha256=sha256, found=digests.sha256)
    tx.audit("object.damaged", "object", sha256, after={"store": store_kind, "found": digests.sha256})
    tx.publish(ObjectDamaged(store=store_kind, sha256=sha256, found_sha256=digests.sha256))


async def _land(tx: Transaction, store_kind: StoreKind, order: ProofOrder, digests: Digests) -> None:
    """Insert a landed upload of the copy: its row counts as a use of the object."""
    upload = LandedUpload(
        id=uuid4(),
        owner_id=NO_OWNER,
        name=order.name,
        digests=digests,
        store=store_kind,
        copy_id=order.copy_id,
    )
    await uploads.insert_landed_uploads(tx.session, [upload])
    tx.audit("create", "upload", upload.id, after={"copy_id": str(order.copy_id), "was_here": digests.sha256})
    tx.publish(completed(upload.id, digests))

"""Proofs that registry orders of copies in the central store: bytes that are here already need not be sent.

An agent finds its own orders by asking registry; what lies in the central store is read by transfer itself.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from cingulum.digests import Digests
from libs.common.db import Transaction
from libs.common.events import ObjectDamaged, ProofOrdered, UploadCompleted
from libs.common.observability import logger
from libs.common.schemas.states import UploadState
from libs.common.storage import ObjectMissing, StorageProblem
from services.transfer import domain, queries
from services.transfer.models import UploadRow
from services.transfer.operations.dock import Dock
from services.transfer.queries import neighbours, orders
from services.transfer.queries.orders import Order

NOBODY = UUID(int=0)  # owns what no caller has sent


async def keep(tx: Transaction, kind: str, event: ProofOrdered) -> None:
    """Write down which of the copies are for us to look at."""
    copies = await neighbours.copies(tx.session, event.copy_ids)
    await orders.keep(tx.session, [copy.id for copy in copies.values() if copy.store == kind])


async def carry_out(dock: Dock) -> int:
    """Read the bytes of ordered copies, where they are here, and say so; how many were proved.

    One that is not here is no order any more: whoever brings it names the copy. One that cannot be read now stays an
    order, and the others have their turn.
    """
    async with dock.database.read_long() as read:
        waiting = await orders.waiting(read, dock.kind)
    proved = 0
    for order in waiting:
        try:
            proved += await _carry_out(dock, order)
        except (StorageProblem, OSError) as error:
            logger("orders").warning(
                "a copy cannot be read now", copy_id=str(order.copy_id), error=str(error)
            )
    return proved


async def _carry_out(dock: Dock, order: Order) -> bool:
    found = await _read(dock, order.sha256)
    async with dock.writer.begin() as tx:
        if found is not None:
            await queries.lock_hashes(tx.session, [found.sha256])
        is_mine = await orders.done(tx.session, order.copy_id)
        if found is None or not is_mine:
            return False
        if found.sha256 != order.sha256:
            _tell_damaged(tx, dock.kind, str(order.sha256), found)
            return False
        if not await dock.holds(found.sha256):
            return False
        await _land(tx, dock.kind, order, found)
    return True


async def _read(dock: Dock, sha256: str | None) -> Digests | None:
    """What a full read of an object finds; None where it is not here."""
    try:
        return await dock.store.prove(sha256) if sha256 else None
    except ObjectMissing:
        return None


def _tell_damaged(tx: Transaction, kind: str, sha256: str, found: Digests) -> None:
    logger("orders").error("an object in the store is damaged", sha256=sha256, found=found.sha256)
    tx.audit("object.damaged", "object", sha256, after={"store": kind, "found": found.sha256})
    tx.publish(ObjectDamaged(store=kind, sha256=sha256, found_sha256=found.sha256))


async def _land(tx: Transaction, kind: str, order: Order, digest: Digests) -> None:
    """The copy's bytes are here, so an upload of it has landed: its row counts as a use of the object."""
    now = await queries.clock(tx.session)
    row = UploadRow(
        id=uuid4(),
        owner_id=NOBODY,
        name=order.name,
        state=UploadState.LANDED,
        size_bytes=digest.size_bytes,
        part_bytes=domain.part_bytes(digest.size_bytes),
        sha256=digest.sha256,
        md5=digest.md5,
        store=kind,
        copy_id=order.copy_id,
        created_at=now,
        touched_at=now,
        completed_at=now,
    )
    tx.session.add(row)
    tx.audit("create", "upload", row.id, after={"copy_id": str(order.copy_id), "was_here": digest.sha256})
    tx.publish(
        UploadCompleted(upload_id=row.id, sha256=digest.sha256, md5=digest.md5, size_bytes=digest.size_bytes)
    )

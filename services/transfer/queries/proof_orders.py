"""Proof orders: copies in the central store that registry wants read in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cingulum.stores import StoreKind
from libs.common.db.sessions import ReadSession, WriteSession
from libs.common.published import COPIES, table
from libs.common.schemas.states import UploadState
from services.transfer.models import ProofOrderRow, UploadRow

BATCH = 100


@dataclass(frozen=True)
class ProofOrder:
    """A copy to be proved; `sha256` of the object that must hold its bytes, None if no such object is known."""

    copy_id: UUID
    name: str
    sha256: str | None


async def insert_proof_orders(session: WriteSession, copy_ids: Sequence[UUID]) -> None:
    """Insert an order per copy; existing ones stay as they are."""
    if copy_ids:
        rows = [{"copy_id": copy_id, "ordered_at": sa.func.clock_timestamp()} for copy_id in copy_ids]
        await session.execute(insert(ProofOrderRow).values(rows).on_conflict_do_nothing())


async def delete_proof_order(session: WriteSession, copy_id: UUID) -> bool:
    """Delete an order; whether it still existed, so that only one of two processes counts it as done."""
    deleting = sa.delete(ProofOrderRow).where(ProofOrderRow.copy_id == copy_id)
    return (await session.execute(deleting.returning(ProofOrderRow.copy_id))).first() is not None


async def list_proof_orders(session: ReadSession, store_kind: StoreKind) -> list[ProofOrder]:
    """Orders, oldest first, each with the object that should hold the copy's bytes.

    That is the object of the version's SHA-256, or one that an upload brought with the version's size and MD5. Both
    are claims, of an agent or of a client: the object counts only where this store has read it before for the same
    dataset, or for another one of the same session, which is visible to the same people. Otherwise anyone who knows
    the hash of another lab's file could register it and read it.
    """
    copies, proved = table(COPIES), table(COPIES).alias("proved")
    is_related = sa.or_(
        proved.c.dataset_id == copies.c.dataset_id, proved.c.session_id == copies.c.session_id
    )

    def was_read(sha256: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        exists = sa.exists().where(
            proved.c.sha256 == sha256,
            proved.c.store == store_kind,
            proved.c.proved_at.is_not(None),
            is_related,
        )
        # Correlated automatically, `copies` would be any copy, and so any session would be the same one.
        return exists.correlate_except(proved)

    by_md5 = (
        sa.select(UploadRow.sha256)
        .where(
            UploadRow.state == UploadState.LANDED,
            UploadRow.store == store_kind,
            UploadRow.md5 == copies.c.md5,
            UploadRow.size_bytes == copies.c.size_bytes,
            was_read(sa.type_coerce(UploadRow.sha256, sa.Text)),
        )
        .correlate_except(UploadRow)
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            ProofOrderRow.copy_id,
            copies.c.relative_path,
            sa.func.coalesce(sa.case((was_read(copies.c.sha256), copies.c.sha256)), by_md5),
        )
        .outerjoin(copies, copies.c.id == ProofOrderRow.copy_id)
        .order_by(ProofOrderRow.ordered_at, ProofOrderRow.copy_id)
        .limit(BATCH)
    )
    rows = await session.execute(statement)
    return [ProofOrder(copy_id, path or "", sha256) for copy_id, path, sha256 in rows]

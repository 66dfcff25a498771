"""Copies in the central store that registry wants proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.published import COPIES, table
from libs.common.schemas.states import UploadState
from services.transfer.models import OrderRow, UploadRow

AT_ONCE = 100


@dataclass(frozen=True)
class Order:
    """A copy to be proved; `sha256` of the object that must be its bytes, null where none here is known to be."""

    copy_id: UUID
    name: str
    sha256: str | None


async def keep(session: AsyncSession, copy_ids: Sequence[UUID]) -> None:
    """Write orders down; one that stands is nothing new."""
    if copy_ids:
        rows = [{"copy_id": which, "ordered_at": sa.func.clock_timestamp()} for which in copy_ids]
        await session.execute(insert(OrderRow).values(rows).on_conflict_do_nothing())


async def done(session: AsyncSession, copy_id: UUID) -> bool:
    """Take an order away; whether it was still there, so that of two who carry it out one counts."""
    gone = sa.delete(OrderRow).where(OrderRow.copy_id == copy_id).returning(OrderRow.copy_id)
    return (await session.execute(gone)).first() is not None


async def waiting(session: AsyncSession, kind: str) -> list[Order]:
    """Orders, oldest first, each with the object that its copy must be.

    That is the one of the SHA-256 which the version is known by, or one that an upload brought with the size and MD5
    which a client says the file has. Both are words, of an agent or of a client: the object counts only where this
    store has read it before for the same dataset, or for another one of the same session, which the same people may
    know of. Otherwise anybody who knows a hash of somebody else's file could register it and read it.
    """
    copies, theirs = table(COPIES), table(COPIES).alias("theirs")
    kin = sa.or_(theirs.c.dataset_id == copies.c.dataset_id, theirs.c.session_id == copies.c.session_id)

    def was_read(sha256: Any) -> sa.ColumnElement[bool]:
        found = sa.exists().where(
            theirs.c.sha256 == sha256, theirs.c.store == kind, theirs.c.proved_at.is_not(None), kin
        )
        # By itself it would take `copies` for any copy, and so any session for the same one.
        return found.correlate_except(theirs)

    held = (
        sa.select(UploadRow.sha256)
        .where(
            UploadRow.state == UploadState.LANDED,
            UploadRow.store == kind,
            UploadRow.md5 == copies.c.md5,
            UploadRow.size_bytes == copies.c.file_size,
            was_read(UploadRow.sha256),
        )
        .correlate_except(UploadRow)
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            OrderRow.copy_id,
            copies.c.relative_path,
            sa.func.coalesce(sa.case((was_read(copies.c.sha256), copies.c.sha256)), held),
        )
        .outerjoin(copies, copies.c.id == OrderRow.copy_id)
        .order_by(OrderRow.ordered_at, OrderRow.copy_id)
        .limit(AT_ONCE)
    )
    return [Order(which, path or "", sha256) for which, path, sha256 in await session.execute(statement)]

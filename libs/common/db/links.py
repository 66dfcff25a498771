"""Many-to-many relations of a row: changed with an audit entry, and changed back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase

from libs.common.db.sessions import WriteSession
from libs.common.db.transaction import Transaction


@dataclass(frozen=True)
class Links:
    """A relation of rows: its name in bodies and audit entries, its table, the columns of the row and of the others."""

    name: str
    table: type[DeclarativeBase]
    owner: str
    other: str

    async def fetch_ids(self, session: WriteSession, owner_id: UUID) -> list[str]:
        """The ids that a row is linked to, as audit entries store them."""
        owner, other = getattr(self.table, self.owner), getattr(self.table, self.other)
        ids = await session.scalars(sa.select(other).where(owner == owner_id))
        return sorted(map(str, ids))


async def set_links(tx: Transaction, links: Links, noun: str, owner_id: UUID, ids: Collection[UUID]) -> None:
    """Make a relation hold exactly these; a change is audited with the ids before and after."""
    session, before = tx.session, await links.fetch_ids(tx.session, owner_id)
    after = sorted({str(each) for each in ids})
    if after == before:
        return
    owner, other = getattr(links.table, links.owner), getattr(links.table, links.other)
    await session.execute(sa.delete(links.table).where(owner == owner_id, other.not_in(ids)))
    if ids:
        rows: list[dict[str, Any]] = [{links.owner: owner_id, links.other: each} for each in ids]
        await session.execute(insert(links.table).values(rows).on_conflict_do_nothing())
    tx.audit_change(noun, owner_id, before={links.name: before}, after={links.name: after})

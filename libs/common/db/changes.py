"""What all changes of rows have in common: they are written down."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase

from libs.common.db.transaction import Transaction


def _told(value: Any) -> Any:
    if isinstance(value, UUID | date | datetime):
        return str(value)
    return value


def apply(tx: Transaction, what: str, row: DeclarativeBase, values: Mapping[str, Any]) -> None:
    """Set columns of a row and write down what changed; nothing is written where nothing did."""
    before = {
        name: _told(getattr(row, name)) for name, value in values.items() if getattr(row, name) != value
    }
    for name in before:
        setattr(row, name, values[name])
    if before:
        tx.audit(
            f"{what}.changed",
            what,
            row.id,  # type: ignore[attr-defined]
            before=before,
            after={name: _told(values[name]) for name in before},
        )


def created(tx: Transaction, what: str, row: DeclarativeBase, told: Mapping[str, Any]) -> None:
    """Add a row and write down that it came."""
    tx.session.add(row)
    tx.audit(f"{what}.created", what, row.id, after={k: _told(v) for k, v in told.items() if v is not None})  # type: ignore[attr-defined]


def deleted(tx: Transaction, what: str, row: DeclarativeBase) -> None:
    """Take a row out of sight; it can be brought back within 30 days."""
    row.deleted_at = datetime.now(UTC)  # type: ignore[attr-defined]
    tx.audit(f"{what}.deleted", what, row.id)  # type: ignore[attr-defined]


async def set_links(
    tx: Transaction,
    link: type[DeclarativeBase],
    owner: str,
    owner_id: UUID,
    other: str,
    ids: Collection[UUID],
) -> None:
    """Make a many-to-many relation hold exactly these."""
    owner_column, other_column = getattr(link, owner), getattr(link, other)
    await tx.session.flush()
    await tx.session.execute(sa.delete(link).where(owner_column == owner_id, other_column.not_in(ids)))
    if ids:
        await tx.session.execute(
            insert(link).values([{owner: owner_id, other: i} for i in ids]).on_conflict_do_nothing()
        )

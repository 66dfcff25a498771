"""The declarative base of metadata and the columns that all its rows have."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.common import db


class Base(DeclarativeBase):
    """Base of all tables in the schema `metadata`."""

    metadata = db.metadata_of("metadata")


def once(table: str, *columns: str) -> sa.Index:
    """No two rows in sight hold the same in these columns; a deleted one may be brought back beside none."""
    name = f"uq_{table}_{'_'.join(columns)}"
    return sa.Index(name, *columns, unique=True, postgresql_where=sa.text("deleted_at IS NULL"))


class Kept:
    """Rows that people made: an id, when it came, and when it was (softly) deleted."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    deleted_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


class Annotated:
    """Rows that carry Alyx's free `json`."""

    json: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

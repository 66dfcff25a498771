"""The declarative base of metadata, and mixins with the columns that many of its tables share."""

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


def unique_if_not_deleted(table: str, *columns: str) -> sa.Index:
    """A unique index over the rows that are not soft-deleted: a deleted row does not keep its name taken."""
    name = f"uq_{table}_{'_'.join(columns)}"
    return sa.Index(name, *columns, unique=True, postgresql_where=sa.text("deleted_at IS NULL"))


class Identified:
    """Rows with an id and the time of their creation."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())


class SoftDeleted:
    """Rows that are deleted by setting `deleted_at`, so that they can be restored."""

    deleted_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


class WithJson:
    """Rows with Alyx's free-form `json`."""

    json: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

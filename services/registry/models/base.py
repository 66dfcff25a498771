"""The declarative base of registry and the columns that many of its tables share."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.common import db


class Base(DeclarativeBase):
    """Base of all tables in the schema `registry`."""

    metadata = db.metadata_of("registry")


class Identified:
    """Rows with an id and the time of their creation."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())


class WithJson:
    """Rows with Alyx's free `json`."""

    json: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

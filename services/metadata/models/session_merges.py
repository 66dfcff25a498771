"""Merges of sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.actions import ActionRow
from services.metadata.models.base import Base, Identified


class SessionMergeRow(Identified, Base):
    """Sessions that were merged into another one, which is not deleted by it. They are, until that is undone."""

    __tablename__ = "session_merges"
    audit_id: Mapped[int] = mapped_column(sa.BigInteger, unique=True)  # by which it is undone
    into_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ActionRow.id), index=True)
    session_ids: Mapped[list[UUID]] = mapped_column(ARRAY(sa.Uuid()))
    moved: Mapped[dict[str, int]] = mapped_column(JSONB)
    not_moved: Mapped[dict[str, int]] = mapped_column(JSONB)
    not_taken: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_by: Mapped[str]
    undone_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))

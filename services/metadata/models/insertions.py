"""Insertions: probes in sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.actions import ActionRow
from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted


class InsertionRow(Identified, SoftDeleted, WithJson, Base):
    """A probe in a session."""

    __tablename__ = "insertions"
    __table_args__ = (unique_if_not_deleted("insertions", "session_id", "name"),)
    session_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ActionRow.id))
    name: Mapped[str]
    chronic_insertion_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(ActionRow.id), index=True)
    model: Mapped[str | None]  # part number of a probe model
    serial: Mapped[str] = mapped_column(server_default="")
    auto_datetime: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())

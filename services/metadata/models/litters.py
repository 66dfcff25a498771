"""Litters."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted
from services.metadata.models.lines import LineRow


class LitterRow(Identified, SoftDeleted, WithJson, Base):
    """A litter: subjects born together."""

    __tablename__ = "litters"
    __table_args__ = (unique_if_not_deleted("litters", "name"),)
    name: Mapped[str]
    line_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(LineRow.id))
    birth_date: Mapped[date | None]

"""Weighings."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson
from services.metadata.models.subjects import SubjectRow
from services.metadata.models.users import UserRow


class WeighingRow(Identified, SoftDeleted, WithJson, Base):
    """One reading of the scale, in grams."""

    __tablename__ = "weighings"
    __table_args__ = (
        sa.CheckConstraint("weight >= 0 AND weight < 'Infinity'", name="weight_is_a_weight"),
        sa.Index("ix_weighings_subject_id_at", "subject_id", "date_time_at"),  # of one subject, by time
    )
    subject_id: Mapped[UUID] = mapped_column(sa.ForeignKey(SubjectRow.id))
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(UserRow.id))
    date_time: Mapped[str]  # as Alyx answers it: the lab's own clock
    date_time_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))
    weight: Mapped[float]

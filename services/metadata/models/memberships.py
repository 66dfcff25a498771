"""Memberships of users in labs."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted
from services.metadata.models.labs import LabRow
from services.metadata.models.users import UserRow


class MembershipRow(Identified, SoftDeleted, Base):
    """A user works in a lab for a time; without an end the membership is current."""

    __tablename__ = "memberships"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "lab_id", "start_date"),  # loading a file twice is idempotent
        sa.CheckConstraint("end_date IS NULL OR end_date >= start_date", name="ends_after_start"),
    )
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), index=True)
    lab_id: Mapped[UUID] = mapped_column(sa.ForeignKey(LabRow.id), index=True)
    role: Mapped[str] = mapped_column(server_default="")
    start_date: Mapped[date]
    end_date: Mapped[date | None]

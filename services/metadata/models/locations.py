"""Locations: rigs and rooms."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted
from services.metadata.models.labs import LabRow


class LocationRow(Identified, SoftDeleted, WithJson, Base):
    """A rig or a room of a lab."""

    __tablename__ = "locations"
    __table_args__ = (unique_if_not_deleted("locations", "name"),)
    name: Mapped[str]
    lab_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(LabRow.id))

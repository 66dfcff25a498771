"""Labs and their repositories."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted


class LabRow(Identified, SoftDeleted, WithJson, Base):
    """A lab. Times without an offset are in its time zone."""

    __tablename__ = "labs"
    __table_args__ = (unique_if_not_deleted("labs", "name"),)
    name: Mapped[str]
    institution: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")
    timezone: Mapped[str] = mapped_column(server_default="Europe/London")
    reference_weight_pct: Mapped[float] = mapped_column(server_default="0")
    zscore_weight_pct: Mapped[float] = mapped_column(server_default="0")


class LabRepositoryRow(Base):
    """A repository for a lab's files; it belongs to registry, so its id is not a foreign key."""

    __tablename__ = "lab_repositories"
    lab_id: Mapped[UUID] = mapped_column(sa.ForeignKey(LabRow.id), primary_key=True)
    repository_id: Mapped[UUID] = mapped_column(primary_key=True)

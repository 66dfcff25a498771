"""Trajectories of probes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.actions import ActionRow
from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson
from services.metadata.models.insertions import InsertionRow
from services.metadata.models.vocabularies import VocabularyRow


class TrajectoryRow(Identified, SoftDeleted, WithJson, Base):
    """The line of a probe in the brain, one of each provenance: that of an insertion, or of a chronic one."""

    __tablename__ = "trajectories"
    __table_args__ = (
        sa.CheckConstraint(
            "insertion_id IS NOT NULL OR chronic_insertion_id IS NOT NULL", name="has_insertion"
        ),
        sa.Index(
            "uq_trajectories_insertion_id_provenance",
            "insertion_id",
            "provenance",
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL AND insertion_id IS NOT NULL"),
        ),
        sa.Index(
            "uq_trajectories_chronic_insertion_id_provenance",
            "chronic_insertion_id",
            "provenance",
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL AND insertion_id IS NULL"),
        ),
    )
    insertion_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(InsertionRow.id))
    chronic_insertion_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(ActionRow.id), index=True)
    provenance: Mapped[int] = mapped_column(sa.SmallInteger)
    coordinate_system_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(VocabularyRow.id))
    x: Mapped[float | None]  # µm, as are y, z and depth
    y: Mapped[float | None]
    z: Mapped[float | None]
    depth: Mapped[float | None]
    theta: Mapped[float | None]  # degrees, as are phi and roll
    phi: Mapped[float | None]
    roll: Mapped[float | None]
    auto_datetime: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())

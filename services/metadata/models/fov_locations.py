"""Locations of fields of view in the brain."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted
from services.metadata.models.fields_of_view import FieldOfViewRow
from services.metadata.models.vocabularies import VocabularyRow


class FovLocationRow(Identified, SoftDeleted, WithJson, Base):
    """Where a field of view is: one location of each provenance, of which at most one is the default, for searches."""

    __tablename__ = "fov_locations"
    __table_args__ = (
        unique_if_not_deleted("fov_locations", "field_of_view_id", "provenance"),
        sa.Index(
            "uq_fov_locations_default",
            "field_of_view_id",
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL AND default_provenance"),
        ),
        sa.Index("ix_fov_locations_brain_region_ids", "brain_region_ids", postgresql_using="gin"),
        sa.CheckConstraint("provenance IN ('E', 'F', 'L', 'H')", name="provenance_known"),
    )
    field_of_view_id: Mapped[UUID] = mapped_column(sa.ForeignKey(FieldOfViewRow.id))
    provenance: Mapped[str]
    default_provenance: Mapped[bool] = mapped_column(server_default=sa.false())
    coordinate_system_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(VocabularyRow.id))
    brain_region_ids: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))  # regions are never deleted
    x: Mapped[list[float | None]] = mapped_column(ARRAY(sa.Double))  # µm of each corner, as are y and z
    y: Mapped[list[float | None]] = mapped_column(ARRAY(sa.Double))
    z: Mapped[list[float | None]] = mapped_column(ARRAY(sa.Double))
    n_xyz: Mapped[list[int | None]] = mapped_column(ARRAY(sa.Integer))
    auto_datetime: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())

"""Channels: the recording sites along a trajectory."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted
from services.metadata.models.brain_regions import VOID, BrainRegionRow
from services.metadata.models.trajectories import TrajectoryRow


class ChannelRow(Identified, SoftDeleted, WithJson, Base):
    """A recording site, with its place on the probe and in the brain in µm."""

    __tablename__ = "channels"
    __table_args__ = (unique_if_not_deleted("channels", "trajectory_id", "axial", "lateral"),)
    trajectory_id: Mapped[UUID] = mapped_column(sa.ForeignKey(TrajectoryRow.id))
    brain_region_id: Mapped[int] = mapped_column(
        sa.ForeignKey(BrainRegionRow.id), index=True, server_default=str(VOID)
    )
    name: Mapped[str] = mapped_column(server_default="")
    axial: Mapped[float | None]
    lateral: Mapped[float | None] = mapped_column("lateral", quote=True)  # a word of SQL
    x: Mapped[float | None]
    y: Mapped[float | None]
    z: Mapped[float | None]

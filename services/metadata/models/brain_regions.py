"""Brain regions: the tree of the Allen mouse atlas."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base

VOID: Final = 0  # the id of what lies outside the brain, of which the root is a part


class BrainRegionRow(Base):
    """A region of the brain; ids are those of the Allen Institute.

    `position` counts the regions in the order of the tree, a region before its parts, and `last` is the position of
    its last part: one region lies in another if its position is between the other's position and last.
    """

    __tablename__ = "brain_regions"
    __table_args__ = (
        sa.UniqueConstraint("position"),
        sa.CheckConstraint("last >= position", name="last_is_not_before"),
        sa.Index("ix_brain_regions_lower_acronym", sa.text("lower(acronym)")),
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    acronym: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("metadata.brain_regions.id"), index=True)
    position: Mapped[int]
    last: Mapped[int]

"""Who read files of releases."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base
from services.registry.models.releases import ReleaseDatasetRow, ReleaseLinkRow


class ReleaseReadRow(Base):
    """How often a reader got bytes of a file of a release on a day (UTC).

    The reader is a user, or a link, or (both null) without an account.
    """

    __tablename__ = "release_reads"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["release_id", "dataset_id"], [ReleaseDatasetRow.release_id, ReleaseDatasetRow.dataset_id]
        ),
        sa.CheckConstraint("user_id IS NULL OR link_id IS NULL", name="one_reader"),
        sa.UniqueConstraint(
            "release_id",
            "dataset_id",
            "generation",
            "day",
            "user_id",
            "link_id",
            name="uq_release_reads_reader",
            postgresql_nulls_not_distinct=True,
        ),
        sa.Index("ix_release_reads_day", "day"),  # what is too old is deleted
    )
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    release_id: Mapped[UUID]
    dataset_id: Mapped[UUID]
    generation: Mapped[int]
    day: Mapped[date]
    user_id: Mapped[UUID | None]  # metadata owns it
    link_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(ReleaseLinkRow.id))
    count: Mapped[int]
    last_read_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())

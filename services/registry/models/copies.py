"""Copies of datasets' versions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base, Identified, WithJson
from services.registry.models.datasets import DatasetRow
from services.registry.models.repositories import RepositoryRow


class CopyRow(Identified, WithJson, Base):
    """One version of a dataset in one repository (Alyx: a file record of the current version)."""

    __tablename__ = "copies"
    __table_args__ = (
        sa.UniqueConstraint("dataset_id", "repository_id", "generation"),
        sa.CheckConstraint("state <> 'verified' OR proved_at IS NOT NULL", name="verified_is_proved"),
        sa.Index("ix_copies_waiting", "repository_id", "state"),  # an agent lists what to transfer
        sa.Index("ix_copies_created_at", sa.text("created_at DESC"), "id"),  # the lists of files and copies
        sa.Index("ix_copies_proved_at", "proved_at"),  # sessions that changed since a time
        sa.Index("ix_copies_file_id", sa.text("COALESCE(file_id, id)")),
        sa.Index(  # a path is that of one record
            "ix_copies_relative_path",
            "repository_id",
            "relative_path",
            postgresql_where=sa.text("relative_path IS NOT NULL"),
        ),
    )
    dataset_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetRow.id))
    repository_id: Mapped[UUID] = mapped_column(sa.ForeignKey(RepositoryRow.id))
    generation: Mapped[int]
    # Of Alyx's file record, which is one for all versions of a dataset in a repository; null: the id of this row.
    file_id: Mapped[UUID | None]
    relative_path: Mapped[str | None]  # below the subjects' folder; null: as the dataset's own path
    state: Mapped[str]
    proved_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    proved_how: Mapped[str] = mapped_column(server_default="")
    notice: Mapped[str] = mapped_column(server_default="")  # why a proof failed
    order_proof: Mapped[bool] = mapped_column(
        server_default=sa.false()
    )  # a client claims that the file is there

"""Counters of downloads."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base, Identified, WithJson
from services.registry.models.datasets import DatasetRow


class DownloadRow(Identified, WithJson, Base):
    """How often a user downloaded a dataset."""

    __tablename__ = "downloads"
    __table_args__ = (sa.UniqueConstraint("user_id", "dataset_id"),)
    user_id: Mapped[UUID]
    dataset_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetRow.id))
    count: Mapped[int] = mapped_column(server_default="1")


class DownloadProjectRow(Base):
    """A project for which a user downloaded a dataset."""

    __tablename__ = "download_projects"
    download_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DownloadRow.id), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)  # metadata owns it

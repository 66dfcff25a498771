"""Notices on datasets."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base, Identified, WithJson
from services.registry.models.datasets import DatasetRow


class DataNoticeRow(Identified, WithJson, Base):
    """A notice: what users of some datasets should know."""

    __tablename__ = "data_notices"
    __table_args__ = (
        sa.CheckConstraint("importance IN (20, 30, 40, 50)", name="importance_known"),
        sa.CheckConstraint("affected_date_start <= affected_date_end", name="dates_in_order"),
    )
    user_id: Mapped[UUID | None]
    name: Mapped[str] = mapped_column(server_default="")
    description: Mapped[str] = mapped_column(server_default="")
    description_html: Mapped[str] = mapped_column(
        server_default=""
    )  # rendered when it was written: that is slow
    importance: Mapped[int] = mapped_column(sa.SmallInteger, server_default="20")
    version_affected: Mapped[str] = mapped_column(server_default="")
    affected_date_start: Mapped[date | None]
    affected_date_end: Mapped[date | None]
    deleted_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


class DataNoticeDatasetRow(Base):
    """A notice is about a dataset."""

    __tablename__ = "data_notice_datasets"
    data_notice_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DataNoticeRow.id), primary_key=True)
    dataset_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetRow.id), primary_key=True, index=True)

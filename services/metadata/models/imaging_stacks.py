"""Imaging stacks."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, WithJson


class ImagingStackRow(Identified, WithJson, Base):
    """Fields of view of one session, one above the other. Without any, it is its creator's."""

    __tablename__ = "imaging_stacks"
    name: Mapped[str]
    created_by_id: Mapped[UUID] = mapped_column(
        index=True
    )  # a user, perhaps deleted meanwhile: no foreign key

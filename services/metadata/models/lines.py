"""Breeding lines and their alleles."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted
from services.metadata.models.labs import LabRow
from services.metadata.models.vocabularies import VocabularyRow


class LineRow(Identified, SoftDeleted, WithJson, Base):
    """A breeding line."""

    __tablename__ = "lines"
    __table_args__ = (unique_if_not_deleted("lines", "name"),)
    name: Mapped[str]
    nickname: Mapped[str] = mapped_column(server_default="")
    strain_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(VocabularyRow.id))
    lab_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(LabRow.id))


class LineAlleleRow(Base):
    """A line carries an allele."""

    __tablename__ = "line_alleles"
    line_id: Mapped[UUID] = mapped_column(sa.ForeignKey(LineRow.id), primary_key=True)
    allele_id: Mapped[UUID] = mapped_column(sa.ForeignKey(VocabularyRow.id), primary_key=True)

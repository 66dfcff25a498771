"""Terms of vocabularies."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson


class VocabularyRow(Identified, SoftDeleted, WithJson, Base):
    """A word of a shared vocabulary: species, strain, source, water type, procedure and the like."""

    __tablename__ = "vocabulary"
    __table_args__ = (sa.UniqueConstraint("kind", "name"),)
    kind: Mapped[str]
    name: Mapped[str]
    nickname: Mapped[str] = mapped_column(server_default="")
    description: Mapped[str] = mapped_column(server_default="")

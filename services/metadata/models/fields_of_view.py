"""Fields of view: imaging planes of sessions."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.actions import ActionRow
from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted
from services.metadata.models.imaging_stacks import ImagingStackRow
from services.metadata.models.vocabularies import VocabularyRow


class FieldOfViewRow(Identified, SoftDeleted, WithJson, Base):
    """An imaging plane of a session."""

    __tablename__ = "fields_of_view"
    __table_args__ = (unique_if_not_deleted("fields_of_view", "session_id", "name"),)
    session_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ActionRow.id))
    name: Mapped[str]
    imaging_type_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(VocabularyRow.id))
    stack_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(ImagingStackRow.id), index=True)
    # Datasets are registry's: ids, not foreign keys. null: those whose collection names the field of view
    dataset_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(sa.Uuid))

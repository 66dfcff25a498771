"""Water administrations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson
from services.metadata.models.subjects import SubjectRow
from services.metadata.models.users import UserRow
from services.metadata.models.vocabularies import VocabularyRow


class WaterAdministrationRow(Identified, SoftDeleted, WithJson, Base):
    """Water that a subject got, in mL; without a volume if it was not measured."""

    __tablename__ = "water_administrations"
    __table_args__ = (
        sa.CheckConstraint(
            "water_administered >= 0 AND water_administered < 'Infinity'", name="volume_is_a_volume"
        ),
        sa.Index("ix_water_administrations_subject_id_at", "subject_id", "date_time_at"),
    )
    subject_id: Mapped[UUID] = mapped_column(sa.ForeignKey(SubjectRow.id))
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(UserRow.id))
    session_id: Mapped[UUID | None] = mapped_column(
        index=True
    )  # of the same schema; no key: sessions come later
    date_time: Mapped[str]
    date_time_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))
    water_administered: Mapped[float | None]
    water_type_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(VocabularyRow.id))
    adlib: Mapped[bool] = mapped_column(server_default=sa.false())

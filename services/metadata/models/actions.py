"""Actions on subjects (sessions, surgeries, water restrictions, chronic insertions), their users and procedures."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson
from services.metadata.models.labs import LabRow
from services.metadata.models.locations import LocationRow
from services.metadata.models.subjects import SubjectRow
from services.metadata.models.texts import SESSION_WORDS, words_index
from services.metadata.models.users import UserRow
from services.metadata.models.vocabularies import VocabularyRow


class ActionRow(Identified, SoftDeleted, WithJson, Base):
    """An action; `kind` decides which of the columns further down are used."""

    __tablename__ = "actions"
    __table_args__ = (
        sa.CheckConstraint(
            "kind IN ('session', 'surgery', 'water-restriction', 'chronic-insertion')", name="kind_known"
        ),
        sa.CheckConstraint("kind <> 'session' OR start_time IS NOT NULL", name="session_has_start"),
        sa.CheckConstraint("implant_weight >= 0 AND implant_weight < 'Infinity'", name="implant_is_a_weight"),
        sa.CheckConstraint(
            "reference_weight >= 0 AND reference_weight < 'Infinity'", name="reference_is_a_weight"
        ),
        sa.Index("ix_actions_newest", "kind", sa.text("start_at DESC"), "id"),  # lists, newest first
        sa.Index("ix_actions_subject_id_day_number", "subject_id", "day", "number"),  # a session by its path
        words_index("ix_actions_words", SESSION_WORDS, "kind = 'session'"),
    )
    kind: Mapped[str]
    subject_id: Mapped[UUID] = mapped_column(sa.ForeignKey(SubjectRow.id))
    lab_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(LabRow.id), index=True)
    location_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(LocationRow.id))
    narrative: Mapped[str] = mapped_column(server_default="")
    start_time: Mapped[str | None]  # as Alyx answers it: the lab's own clock
    start_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    day: Mapped[date | None]  # of the folder
    end_time: Mapped[str | None]
    end_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    auto_datetime: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    # sessions
    parent_session_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("metadata.actions.id"))
    number: Mapped[int | None]
    type: Mapped[str | None]
    task_protocol: Mapped[str] = mapped_column(server_default="")
    n_trials: Mapped[int | None]
    n_correct_trials: Mapped[int | None]
    qc: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    extended_qc: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # chronic insertions
    name: Mapped[str] = mapped_column(server_default="")
    model: Mapped[str | None]  # part number of a probe model
    serial: Mapped[str] = mapped_column(server_default="")
    # surgeries
    outcome_type: Mapped[str | None]  # of surgeries; empty: not known
    implant_weight: Mapped[float | None]
    # water restrictions
    reference_weight: Mapped[float | None]
    water_type_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(VocabularyRow.id))


class ActionUserRow(Base):
    """A person took part in an action."""

    __tablename__ = "action_users"
    action_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ActionRow.id), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), primary_key=True, index=True)


class ActionProcedureRow(Base):
    """A procedure was part of an action."""

    __tablename__ = "action_procedures"
    action_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ActionRow.id), primary_key=True)
    procedure_id: Mapped[UUID] = mapped_column(sa.ForeignKey(VocabularyRow.id), primary_key=True, index=True)

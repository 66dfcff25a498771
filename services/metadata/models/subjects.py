"""Subjects, their projects and genotypes."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted
from services.metadata.models.labs import LabRow
from services.metadata.models.lines import LineRow
from services.metadata.models.litters import LitterRow
from services.metadata.models.projects import ProjectRow
from services.metadata.models.texts import SUBJECT_WORDS, words_index
from services.metadata.models.users import UserRow
from services.metadata.models.vocabularies import VocabularyRow


class SubjectRow(Identified, SoftDeleted, WithJson, Base):
    """A subject: an animal."""

    __tablename__ = "subjects"
    __table_args__ = (
        sa.CheckConstraint("sex IN ('M', 'F', 'U')", name="sex_known"),
        unique_if_not_deleted("subjects", "nickname", "lab_id"),
        unique_if_not_deleted("subjects", "nickname", "responsible_user_id"),
        words_index("ix_subjects_words", SUBJECT_WORDS),
    )
    nickname: Mapped[str]
    lab_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(LabRow.id), index=True)
    responsible_user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(UserRow.id), index=True)
    sex: Mapped[str] = mapped_column(server_default="U")
    birth_date: Mapped[date | None]
    death_date: Mapped[date | None]
    species_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(VocabularyRow.id))
    strain_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(VocabularyRow.id))
    source_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(VocabularyRow.id))
    line_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(LineRow.id))
    litter_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(LitterRow.id))
    description: Mapped[str] = mapped_column(server_default="")


class SubjectProjectRow(Base):
    """A subject is in a project."""

    __tablename__ = "subject_projects"
    subject_id: Mapped[UUID] = mapped_column(sa.ForeignKey(SubjectRow.id), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ProjectRow.id), primary_key=True, index=True)


class ZygosityRow(Base):
    """0 absent, 1 heterozygous, 2 homozygous, 3 present with unknown dose."""

    __tablename__ = "zygosities"
    __table_args__ = (sa.CheckConstraint("zygosity BETWEEN 0 AND 3", name="zygosity_known"),)
    subject_id: Mapped[UUID] = mapped_column(sa.ForeignKey(SubjectRow.id), primary_key=True)
    allele_id: Mapped[UUID] = mapped_column(sa.ForeignKey(VocabularyRow.id), primary_key=True)
    zygosity: Mapped[int] = mapped_column(sa.SmallInteger)

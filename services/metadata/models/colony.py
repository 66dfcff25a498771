"""Subjects, their lines and litters, their weighings and water."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted
from services.metadata.models.identity import LabRow, ProjectRow, UserRow


class VocabularyRow(Identified, SoftDeleted, WithJson, Base):
    """A word of a shared vocabulary: species, strain, source, water type, procedure and the like."""

    __tablename__ = "vocabulary"
    __table_args__ = (sa.UniqueConstraint("kind", "name"),)
    kind: Mapped[str]
    name: Mapped[str]
    nickname: Mapped[str] = mapped_column(server_default="")
    description: Mapped[str] = mapped_column(server_default="")


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


class LitterRow(Identified, SoftDeleted, WithJson, Base):
    """A litter: subjects born together."""

    __tablename__ = "litters"
    __table_args__ = (unique_if_not_deleted("litters", "name"),)
    name: Mapped[str]
    line_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(LineRow.id))
    birth_date: Mapped[date | None]


class SubjectRow(Identified, SoftDeleted, WithJson, Base):
    """A subject: an animal."""

    __tablename__ = "subjects"
    __table_args__ = (
        sa.CheckConstraint("sex IN ('M', 'F', 'U')", name="sex_known"),
        unique_if_not_deleted("subjects", "nickname", "lab_id"),
        unique_if_not_deleted("subjects", "nickname", "responsible_user_id"),
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


class WeighingRow(Identified, SoftDeleted, WithJson, Base):
    """One reading of the scale, in grams."""

    __tablename__ = "weighings"
    __table_args__ = (
        sa.CheckConstraint("weight >= 0 AND weight < 'Infinity'", name="weight_is_a_weight"),
        sa.Index("ix_weighings_subject_id_at", "subject_id", "date_time_at"),  # of one subject, by time
    )
    subject_id: Mapped[UUID] = mapped_column(sa.ForeignKey(SubjectRow.id))
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(UserRow.id))
    date_time: Mapped[str]  # as Alyx answers it: the lab's own clock
    date_time_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))
    weight: Mapped[float]


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

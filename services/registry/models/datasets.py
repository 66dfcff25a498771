"""Datasets, their versions, and each copy of each version."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base, Kept
from services.registry.models.repositories import DatasetTypeRow, FormatRow, RepositoryRow


class RevisionRow(Kept, Base):
    """A named revision, shared by the datasets that were redone together."""

    __tablename__ = "revisions"
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")


class TagRow(Kept, Base):
    """A tag on datasets: may protect them from change, may open them to public readers."""

    __tablename__ = "tags"
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")
    protected: Mapped[bool] = mapped_column(server_default=sa.false())
    public: Mapped[bool] = mapped_column(server_default=sa.false())


class DatasetRow(Kept, Base):
    """One ALF file name in a session (or of another object) and revision; its bytes are those of its newest version."""

    __tablename__ = "datasets"
    __table_args__ = (
        # One dataset a name: the database decides between two rigs that register it at once.
        sa.Index(
            "uq_datasets_path",
            "session_id",
            "object_id",
            "collection",
            "revision",
            "name",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=sa.text("deleted_at IS NULL"),
        ),
        sa.Index("ix_datasets_name", "name"),  # search by file name
        sa.Index("ix_datasets_dataset_type_id", "dataset_type_id"),  # search by type
        sa.Index(  # the list, newest first; which sessions changed since a moment
            "ix_datasets_created_at",
            sa.text("created_at DESC"),
            "id",
            postgresql_where=sa.text("deleted_at IS NULL"),
        ),
        sa.Index("ix_datasets_object_id", "object_id", postgresql_where=sa.text("object_id IS NOT NULL")),
    )
    session_id: Mapped[UUID | None]  # metadata owns it
    content_type: Mapped[str | None]  # of an aggregate: which kind of object `object_id` is
    object_id: Mapped[UUID | None]
    lab_path: Mapped[str]  # folder of the tree: lab/Subjects/subject/date/number, or aggregates/…
    collection: Mapped[str] = mapped_column(server_default="")
    revision: Mapped[str] = mapped_column(server_default="")
    name: Mapped[str]
    dataset_type_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetTypeRow.id))
    format_id: Mapped[UUID] = mapped_column(sa.ForeignKey(FormatRow.id))
    created_by: Mapped[str | None]
    is_default: Mapped[bool] = mapped_column(server_default=sa.true())
    generation: Mapped[int] = mapped_column(server_default="1")  # of the current version
    software_version: Mapped[str | None]
    qc: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    doubts: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default="{}")
    auto_datetime: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    deleted_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


class VersionRow(Base):
    """One content of a dataset. `sha256` is null until our agent or store has read the bytes."""

    __tablename__ = "versions"
    __table_args__ = (
        sa.UniqueConstraint("dataset_id", "generation"),
        sa.Index("ix_versions_sha256", "sha256"),  # which datasets hold these bytes
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    dataset_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetRow.id))
    generation: Mapped[int]
    size_bytes: Mapped[int | None] = mapped_column(sa.BigInteger)  # one probe-hour is 83 GB
    md5: Mapped[str | None]  # as claimed, then as read
    sha256: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())


class CopyRow(Kept, Base):
    """One version of a dataset in one repository (Alyx: a file record of the current version)."""

    __tablename__ = "copies"
    __table_args__ = (
        sa.UniqueConstraint("dataset_id", "repository_id", "generation"),
        sa.CheckConstraint("state <> 'verified' OR proved_at IS NOT NULL", name="verified_is_proved"),
        sa.Index("ix_copies_waiting", "repository_id", "state"),  # an agent asks what to bring
        sa.Index("ix_copies_created_at", sa.text("created_at DESC"), "id"),  # the lists of files and copies
        sa.Index("ix_copies_proved_at", "proved_at"),  # which sessions changed since a moment
    )
    dataset_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetRow.id))
    repository_id: Mapped[UUID] = mapped_column(sa.ForeignKey(RepositoryRow.id))
    generation: Mapped[int]
    state: Mapped[str]
    proved_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    proved_how: Mapped[str] = mapped_column(server_default="")
    notice: Mapped[str] = mapped_column(server_default="")  # why a proof failed
    order_proof: Mapped[bool] = mapped_column(
        server_default=sa.false()
    )  # somebody said that the file is there


class DatasetTagRow(Base):
    """A dataset carries a tag."""

    __tablename__ = "dataset_tags"
    dataset_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetRow.id), primary_key=True)
    tag_id: Mapped[UUID] = mapped_column(sa.ForeignKey(TagRow.id), primary_key=True, index=True)


class PublicationRow(Base):
    """Registry's one answer to an attempt of a job: asked again, it says the same again."""

    __tablename__ = "publications"
    token: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    job_id: Mapped[UUID]
    dataset_ids: Mapped[list[UUID]] = mapped_column(ARRAY(sa.UUID), server_default="{}")
    refused: Mapped[str | None]
    answered_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())


class NoticeRow(Base):
    """Something a person should know of a dataset: a proof that failed, a file that is not what was registered."""

    __tablename__ = "notices"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    dataset_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetRow.id), index=True)
    copy_id: Mapped[UUID | None]
    text: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())


class DownloadRow(Kept, Base):
    """How often a person downloaded a dataset."""

    __tablename__ = "downloads"
    __table_args__ = (sa.UniqueConstraint("user_id", "dataset_id"),)
    user_id: Mapped[UUID]
    dataset_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetRow.id))
    count: Mapped[int] = mapped_column(server_default="1")

"""Datasets, their versions and tags."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base, Identified, WithJson
from services.registry.models.vocabularies import DatasetTypeRow, FormatRow, TagRow


class DatasetRow(Identified, WithJson, Base):
    """One ALF file name in a session (or of another object) and revision; its bytes are those of its newest version."""

    __tablename__ = "datasets"
    __table_args__ = (
        # One dataset per name: the database decides between two rigs that register it at the same time.
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
        sa.Index("ix_datasets_name_session", "name", "session_id"),  # search by file name, also of sessions
        # Search by type, and sessions by types: these from the index alone.
        sa.Index(
            "ix_datasets_type_session", "dataset_type_id", "session_id", postgresql_include=["deleted_at"]
        ),
        sa.Index(  # the list, newest first; sessions that changed since a time
            "ix_datasets_created_at",
            sa.text("created_at DESC"),
            "id",
            postgresql_where=sa.text("deleted_at IS NULL"),
        ),
        # Whether a revision has datasets, deleted ones included.
        sa.Index("ix_datasets_revision", "revision", postgresql_where=sa.text("revision <> ''")),
        sa.Index("ix_datasets_object_id", "object_id", postgresql_where=sa.text("object_id IS NOT NULL")),
    )
    session_id: Mapped[UUID | None]  # metadata owns it
    content_type: Mapped[str | None]  # of an aggregate: the type of the object `object_id`
    object_id: Mapped[UUID | None]
    lab_path: Mapped[str]  # folder of the tree: lab/Subjects/subject/date/number, or aggregates/…
    collection: Mapped[str] = mapped_column(server_default="")
    revision: Mapped[str] = mapped_column(server_default="")
    name: Mapped[str]
    dataset_type_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetTypeRow.id))
    format_id: Mapped[UUID] = mapped_column(sa.ForeignKey(FormatRow.id))
    created_by_id: Mapped[UUID | None]  # a user of metadata
    created_by: Mapped[str | None]  # the username then, shown where metadata does not know the id
    is_default: Mapped[bool] = mapped_column(server_default=sa.true())
    generation: Mapped[int] = mapped_column(server_default="1")  # of the current version
    software_version: Mapped[str | None]
    qc: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    auto_datetime: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    deleted_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


class VersionRow(Base):
    """One content of a dataset. `sha256` is null until an agent or our store has read the bytes."""

    __tablename__ = "versions"
    __table_args__ = (
        sa.UniqueConstraint("dataset_id", "generation"),
        sa.Index("ix_versions_sha256", "sha256"),  # datasets with these bytes
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    dataset_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetRow.id))
    generation: Mapped[int]
    size_bytes: Mapped[int | None] = mapped_column(sa.BigInteger)  # one probe-hour is 83 GB
    md5: Mapped[str | None]  # as claimed, then as read
    sha256: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())


class DatasetTagRow(Base):
    """A tag of a dataset."""

    __tablename__ = "dataset_tags"
    dataset_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetRow.id), primary_key=True)
    tag_id: Mapped[UUID] = mapped_column(sa.ForeignKey(TagRow.id), primary_key=True, index=True)

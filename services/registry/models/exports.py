"""Exports: the exact versions that a zip holds, its documents, and checksums of objects that were sent."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base, Identified
from services.registry.models.releases import ReleaseRow


class ExportRow(Identified, Base):
    """A zip that can be downloaded: of a user until it expires, or of a release while that is not withdrawn."""

    __tablename__ = "exports"
    __table_args__ = (
        sa.Index("ix_exports_user_id", "user_id"),  # a user's own; their number is limited
        sa.Index("ix_exports_expires_at", "expires_at"),
    )
    user_id: Mapped[UUID | None]  # a user of metadata; null: of a release
    release_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(ReleaseRow.id), unique=True)
    basis: Mapped[str | None] = mapped_column(sa.CHAR(64))  # of a release: hash of all that its documents say
    narrowing: Mapped[str]  # the limits of the token that created it; empty: none
    name: Mapped[str]
    n_files: Mapped[int]
    n_sessions: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)  # of the zip
    digest: Mapped[str] = mapped_column(sa.CHAR(64))  # of all that decides its bytes
    expires_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


class ExportFileRow(Base):
    """A dataset that was selected: in the zip, or left out for a reason."""

    __tablename__ = "export_files"
    export_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ExportRow.id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    dataset_id: Mapped[UUID]  # not a foreign key: the zip is refused once the dataset is deleted
    generation: Mapped[int]
    path: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    sha256: Mapped[str]  # empty where it is left out because its bytes were never read
    left_out: Mapped[str]  # why; empty: it is in the zip


class ExportDocumentRow(Base):
    """A file that was written for the export, such as its manifest."""

    __tablename__ = "export_documents"
    export_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ExportRow.id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    content: Mapped[bytes]


class ChecksumRow(Base):
    """The CRC-32 of an object, by its SHA-256: what a zip needs of each file."""

    __tablename__ = "checksums"
    sha256: Mapped[str] = mapped_column(sa.CHAR(64), primary_key=True)
    crc32: Mapped[int] = mapped_column(sa.BigInteger)  # unsigned

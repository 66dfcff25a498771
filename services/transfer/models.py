"""The tables of transfer, and its published views."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.common import db


class Base(DeclarativeBase):
    """Base of all tables in the schema `transfer`."""

    metadata = db.metadata_of("transfer")


class UploadRow(Base):
    """One row per announced file. Its bytes are immutable once it has landed, and it counts as a use of them."""

    __tablename__ = "uploads"
    __table_args__ = (
        sa.CheckConstraint("state IN ('announced', 'arriving', 'landed', 'swept')", name="state_known"),
        sa.CheckConstraint("size_bytes >= 0", name="size_not_negative"),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_is_one"),
        sa.CheckConstraint(
            "state <> 'landed' OR (sha256 IS NOT NULL AND md5 IS NOT NULL AND completed_at IS NOT NULL)",
            name="landed_is_read",
        ),
        sa.CheckConstraint("(job_id IS NULL) = (token IS NULL)", name="attempt_is_whole"),
        sa.Index("ix_uploads_own", "owner_id", "created_at"),  # a caller's list
        sa.Index("ix_uploads_sha256", "sha256"),  # already here? still needed?
        sa.Index(  # already here, by the MD5 and size that a client claimed?
            "ix_uploads_md5", "md5", "size_bytes", postgresql_where=sa.text("state = 'landed'")
        ),
        sa.Index(
            "ix_uploads_token", "token", postgresql_where=sa.text("token IS NOT NULL AND state <> 'swept'")
        ),
        sa.Index(
            "ix_uploads_idle", "touched_at", postgresql_where=sa.text("state IN ('announced', 'arriving')")
        ),
        sa.Index(
            "ix_uploads_leaving",
            "swept_at",
            postgresql_where=sa.text("state = 'swept' AND removed_at IS NULL"),
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner_id: Mapped[UUID]  # metadata's user
    name: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="announced")
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)  # one probe-hour is 83 GB
    part_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    sha256: Mapped[str | None]  # as announced, then as read; null: the sender does not know it yet
    md5: Mapped[str | None]  # null until every byte has been read
    store: Mapped[str]  # local | s3: the central store when it was announced
    copy_id: Mapped[UUID | None]  # registry's: the copy that these bytes bring
    job_id: Mapped[UUID | None]  # scheduler's: whose output it is
    token: Mapped[int | None] = mapped_column(sa.BigInteger)  # of the attempt
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))
    touched_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    swept_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    removed_at: Mapped[datetime | None] = mapped_column(
        sa.TIMESTAMP(timezone=True)
    )  # its parts are removed, and its object unless another upload needs it


class PartRow(Base):
    """A part whose bytes are on the disk; the store keeps them until the file is assembled."""

    __tablename__ = "parts"
    upload_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UploadRow.id), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    sha256: Mapped[str]


class ProofOrderRow(Base):
    """A copy in the central store that registry wants proved; deleted once the store was read."""

    __tablename__ = "orders"
    copy_id: Mapped[UUID] = mapped_column(primary_key=True)  # registry's
    ordered_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))


PUBLISHED: Final[dict[str, str]] = {
    "uploads": """
        SELECT id, state, size_bytes, sha256, md5, store, copy_id, job_id, name, completed_at, token
        FROM transfer.uploads""",
}

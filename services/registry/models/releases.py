"""Releases: datasets at exact versions, published together."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base, Identified
from services.registry.models.data_notices import DataNoticeRow
from services.registry.models.datasets import DatasetRow


class ReleaseRow(Identified, Base):
    """A release. From `checked` on its datasets have versions and its manifest exists.

    `published` is under embargo until `public_from`: no job ends it, each statement compares the time.
    """

    __tablename__ = "releases"
    __table_args__ = (
        sa.CheckConstraint("state IN ('draft', 'checked', 'published', 'withdrawn')", name="state_known"),
        sa.CheckConstraint("state <> 'checked' OR manifest IS NOT NULL", name="checked_has_manifest"),
        sa.CheckConstraint(
            "state <> 'published' OR (manifest IS NOT NULL AND signature IS NOT NULL AND public_from IS NOT NULL)",
            name="published_is_signed",
        ),
    )
    name: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    authors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    license: Mapped[str] = mapped_column(server_default="")
    doi: Mapped[str | None]
    created_by_id: Mapped[UUID]  # a user of metadata
    state: Mapped[str] = mapped_column(server_default="draft")
    accepted: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")  # kinds of what may be missing
    checked_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    root: Mapped[str | None]
    manifest: Mapped[str | None] = mapped_column(deferred=True)  # the exact text that is signed; megabytes
    signature: Mapped[str | None]
    key_id: Mapped[str | None]  # of the key that signed it
    public_from: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    published_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    withdrawn_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    withdrawn_reason: Mapped[str | None]


class ReleaseDatasetRow(Base):
    """A dataset of a release; version and path are null in a draft, which follows the dataset."""

    __tablename__ = "release_datasets"
    # A file of a release by its path in the manifest.
    __table_args__ = (
        sa.Index("ix_release_datasets_path", "release_id", "path"),
        sa.CheckConstraint("(pulled_at IS NULL) = (pulled_reason IS NULL)", name="pulled_with_reason"),
    )
    release_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ReleaseRow.id), primary_key=True)
    # Whether a dataset is public or protected by a release.
    dataset_id: Mapped[UUID] = mapped_column(sa.ForeignKey(DatasetRow.id), primary_key=True, index=True)
    generation: Mapped[int | None]
    path: Mapped[str | None]  # as in the manifest, whatever its subject is called later
    # Pulled after the manifest was signed: it stays there, and its file is no longer served.
    pulled_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    pulled_reason: Mapped[str | None]
    # Who read the dataset from the release sees the notice.
    notice_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(DataNoticeRow.id), index=True)


class ReleaseConsentRow(Base):
    """A person whose sessions are in a release agrees to it, or no longer does."""

    __tablename__ = "release_consents"
    release_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ReleaseRow.id), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)  # metadata owns it
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    # Stays after the person left: a consent that was withdrawn cannot be accepted as missing.
    withdrawn_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


class ReleaseKeyRow(Identified, Base):
    """A public key whose signatures count; the secret key is with the people who sign, never here."""

    __tablename__ = "release_keys"
    key_id: Mapped[str]  # as minisign shows it
    public_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created_by_id: Mapped[UUID]
    revoked_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    revoked_reason: Mapped[str | None]


class ReleaseLinkRow(Identified, Base):
    """An address by which a person without an account reads a release, or one file of it, for a time."""

    __tablename__ = "release_links"
    release_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ReleaseRow.id), index=True)
    token_hash: Mapped[str] = mapped_column(sa.CHAR(64), unique=True)  # SHA-256 of 32 random bytes
    label: Mapped[str]
    path: Mapped[str | None]  # null: all files, and the manifest
    created_by_id: Mapped[UUID]
    expires_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    uses: Mapped[int] = mapped_column(server_default="0")
    last_used_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))

"""Vocabularies of files: formats, dataset types, revisions and tags."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base, Identified, WithJson


class FormatRow(Identified, WithJson, Base):
    """A file format, identified by its extension."""

    __tablename__ = "formats"
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")
    file_extension: Mapped[str] = mapped_column(server_default="")
    matlab_loader_function: Mapped[str] = mapped_column(server_default="")
    python_loader_function: Mapped[str] = mapped_column(server_default="")


class DatasetTypeRow(Identified, WithJson, Base):
    """What a file contains, matched by a pattern of its name; without a pattern by object.attribute."""

    __tablename__ = "dataset_types"
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")
    filename_pattern: Mapped[str | None] = mapped_column(unique=True)
    created_by_id: Mapped[UUID | None]  # a user of metadata
    created_by: Mapped[str | None]  # the username then, shown where metadata does not know the id
    needs_review: Mapped[bool] = mapped_column(server_default=sa.false())  # a registration created it


class ShippedTermRow(Base):
    """A term of `vocabularies.json` that this database was offered once: one that a lab deleted stays deleted."""

    __tablename__ = "shipped_terms"
    id: Mapped[UUID] = mapped_column(primary_key=True)


class RevisionRow(Identified, WithJson, Base):
    """A named revision, shared by the datasets that were redone together."""

    __tablename__ = "revisions"
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")


class TagRow(Identified, WithJson, Base):
    """A tag on datasets: may protect them from changes, may show them to public readers."""

    __tablename__ = "tags"
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")
    protected: Mapped[bool] = mapped_column(server_default=sa.false())
    public: Mapped[bool] = mapped_column(server_default=sa.false())

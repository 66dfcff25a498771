"""Repositories, and the vocabularies by which files are understood."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base, Kept


class RepositoryTypeRow(Kept, Base):
    """A kind of repository."""

    __tablename__ = "repository_types"
    name: Mapped[str] = mapped_column(unique=True)


class RepositoryRow(Kept, Base):
    """A place where files lie. Bound to a store it is managed: its bytes can be read and proved."""

    __tablename__ = "repositories"
    __table_args__ = (sa.CheckConstraint("store IN ('local', 's3', 'agent')", name="store_known"),)
    name: Mapped[str] = mapped_column(unique=True)
    timezone: Mapped[str] = mapped_column(server_default="Europe/London")
    globus_path: Mapped[str] = mapped_column(server_default="")
    hostname: Mapped[str] = mapped_column(server_default="")
    data_url: Mapped[str | None]  # "/data/" is ours, completed from the caller's address
    repository_type_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(RepositoryTypeRow.id))
    globus_endpoint_id: Mapped[UUID | None]
    globus_is_personal: Mapped[bool] = mapped_column(server_default=sa.true())
    store: Mapped[str | None]  # null: unmanaged


class FormatRow(Kept, Base):
    """A file format, known by its extension."""

    __tablename__ = "formats"
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")
    file_extension: Mapped[str] = mapped_column(server_default="")
    matlab_loader_function: Mapped[str] = mapped_column(server_default="")
    python_loader_function: Mapped[str] = mapped_column(server_default="")


class DatasetTypeRow(Kept, Base):
    """What a file holds, known by a pattern of its name; without a pattern by object.attribute."""

    __tablename__ = "dataset_types"
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")
    filename_pattern: Mapped[str | None] = mapped_column(unique=True)
    created_by: Mapped[str | None]

"""Repositories and their types."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cingulum.stores import StoreKind
from services.registry.models.base import Base, Identified, WithJson


class RepositoryTypeRow(Identified, WithJson, Base):
    """A type of repository."""

    __tablename__ = "repository_types"
    name: Mapped[str] = mapped_column(unique=True)


_KINDS: Final = ", ".join(f"'{kind}'" for kind in StoreKind)


class RepositoryRow(Identified, WithJson, Base):
    """A location of files. Bound to a store it is managed: its bytes can be read and proved."""

    __tablename__ = "repositories"
    __table_args__ = (sa.CheckConstraint(f"store IN ({_KINDS})", name="store_known"),)
    name: Mapped[str] = mapped_column(unique=True)
    timezone: Mapped[str] = mapped_column(server_default="Europe/London")
    globus_path: Mapped[str] = mapped_column(server_default="")
    hostname: Mapped[str] = mapped_column(server_default="")
    data_url: Mapped[str | None]  # "/data/" is ours, completed from the caller's address
    repository_type_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(RepositoryTypeRow.id))
    globus_endpoint_id: Mapped[UUID | None]
    # Null: not known, which counts as personal. Inserted as null if not given: the database's own default, true, is
    # only for pods of the version before.
    globus_is_personal: Mapped[bool | None]
    store: Mapped[str | None]  # null: unmanaged

"""Projects and their users."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted
from services.metadata.models.users import UserRow


class ProjectRow(Identified, SoftDeleted, WithJson, Base):
    """A project; a private one is visible to its users only."""

    __tablename__ = "projects"
    __table_args__ = (unique_if_not_deleted("projects", "name"),)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    is_private: Mapped[bool] = mapped_column(server_default=sa.false())


class ProjectUserRow(Base):
    """A user of a project."""

    __tablename__ = "project_users"
    project_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ProjectRow.id), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), primary_key=True, index=True)

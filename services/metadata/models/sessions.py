"""Projects of sessions; sessions are actions."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.actions import ActionRow
from services.metadata.models.base import Base
from services.metadata.models.projects import ProjectRow


class SessionProjectRow(Base):
    """A session belongs to a project."""

    __tablename__ = "session_projects"
    session_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ActionRow.id), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ProjectRow.id), primary_key=True, index=True)

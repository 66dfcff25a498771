"""Projects."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.db.pages import fetch_page
from libs.common.db.rows import is_named
from libs.common.db.sessions import ReadSession
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.projects import Project
from libs.common.visibility import Visibility
from services.metadata.models import ProjectRow, ProjectUserRow, UserRow
from services.metadata.queries import visible
from services.metadata.queries.single_rows import fetch_one
from services.metadata.queries.subselects import names_of


def _projects(visibility: Visibility) -> sa.Select[Any]:
    return (
        sa.select(
            *ProjectRow.__table__.columns,
            names_of(
                UserRow.username,
                ProjectUserRow.project_id == ProjectRow.id,
                ProjectUserRow.user_id == UserRow.id,
                visible.is_user_visible(visibility),
            ).label("users"),
        )
        .where(visible.is_project_visible(visibility))
        .order_by(ProjectRow.name)
    )


async def list_projects(
    session: ReadSession, visibility: Visibility, paging: PageRequest
) -> tuple[int, list[Project]]:
    """The number of projects that the caller may see, and one page of them by name."""
    count, rows = await fetch_page(session, _projects(visibility), paging)
    return count, [Project.model_validate(row) for row in rows]


async def fetch_project(session: ReadSession, visibility: Visibility, name: str) -> Project:
    """A project by name. Raises NotFound, also for one that the caller may not see."""
    return await fetch_one(
        session, _projects(visibility), is_named(ProjectRow.name, name), Project, f"project '{name}'"
    )

"""The labs, projects and repositories that scopes name: ids of names, and names of ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession
from libs.common.published import LABS, PROJECTS, REPOSITORIES, View, table
from libs.common.visibility import Visibility
from libs.common.visible import is_lab_row_visible, is_project_row_visible

_VIEWS: Final[Mapping[str, View]] = {"lab": LABS, "project": PROJECTS, "repository": REPOSITORIES}


async def find_id(session: ReadSession, visibility: Visibility, area: str, name: str) -> UUID | None:
    """The id of the lab, project or repository of a name or id; None if the caller sees none."""
    view = table(_VIEWS[area])
    rows = await session.execute(
        sa.select(view.c.id, view.c.name)
        .where(sa.or_(view.c.name == name, sa.cast(view.c.id, sa.Text) == name.lower()))
        .where(*_visible(visibility, area))
        .order_by(view.c.name == name)  # an id takes precedence over a name that looks like one
        .limit(1)
    )
    row = rows.first()
    return None if row is None else UUID(str(row.id))


async def fetch_names(
    session: ReadSession, visibility: Visibility, area: str, ids: Collection[UUID]
) -> dict[UUID, str]:
    """The names of the labs, projects or repositories that the caller sees, by id."""
    if not ids:
        return {}
    view = table(_VIEWS[area])
    rows = await session.execute(
        sa.select(view.c.id, view.c.name).where(view.c.id.in_(ids), *_visible(visibility, area))
    )
    return {row.id: row.name for row in rows}


def _visible(visibility: Visibility, area: str) -> list[sa.ColumnElement[bool]]:
    columns: Any = table(_VIEWS[area]).c
    match area:
        case "lab":
            return [is_lab_row_visible(visibility, columns.id)]
        case "project":
            return [is_project_row_visible(visibility, columns.id, columns.is_private)]
    return []

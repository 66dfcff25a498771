"""The labs, projects and repositories that scopes name: ids for names, and names for ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.published import LABS, PROJECTS, REPOSITORIES, View, table
from libs.common.visibility import Visibility
from libs.common.visible import lab_row_visible, project_row_visible

WITHIN: Final[Mapping[str, View]] = {"lab": LABS, "project": PROJECTS, "repository": REPOSITORIES}


async def id_of(session: AsyncSession, seen: Visibility, within: str, name: str) -> UUID | None:
    """The id of the lab, project or repository of that name or id; None if there is none the caller may know of."""
    view = table(WITHIN[within])
    found = await session.execute(
        sa.select(view.c.id, view.c.name)
        .where(sa.or_(view.c.name == name, sa.cast(view.c.id, sa.Text) == name.lower()))
        .where(*_known(seen, within))
        .order_by(view.c.name == name)  # an id goes before a name that looks like one
        .limit(1)
    )
    row = found.first()
    return None if row is None else UUID(str(row.id))


async def names_of(
    session: AsyncSession, seen: Visibility, within: str, ids: Collection[UUID]
) -> dict[UUID, str]:
    """The names of those the caller may know of."""
    if not ids:
        return {}
    view = table(WITHIN[within])
    found = await session.execute(
        sa.select(view.c.id, view.c.name).where(view.c.id.in_(ids), *_known(seen, within))
    )
    return {row.id: row.name for row in found}


def _known(seen: Visibility, within: str) -> list[sa.ColumnElement[bool]]:
    view: Any = table(WITHIN[within]).c
    match within:
        case "lab":
            return [lab_row_visible(seen, view.id)]
        case "project":
            return [project_row_visible(seen, view.id, view.is_private)]
    return []

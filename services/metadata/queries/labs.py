"""Labs: every signed-in user reads all of them, a narrowed token those within its scopes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.db.pages import fetch_page
from libs.common.db.rows import is_named
from libs.common.db.sessions import ReadSession
from libs.common.published import REPOSITORIES, table
from libs.common.schemas.labs import Lab
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.metadata.models import LabRepositoryRow, LabRow
from services.metadata.queries import visible
from services.metadata.queries.list_filters.labs import LabFilters
from services.metadata.queries.single_rows import fetch_one
from services.metadata.queries.subselects import names_of


def _labs(visibility: Visibility) -> sa.Select[Any]:
    repositories = table(REPOSITORIES)
    return (
        sa.select(
            *LabRow.__table__.columns,
            names_of(
                repositories.c.name,
                LabRepositoryRow.lab_id == LabRow.id,
                LabRepositoryRow.repository_id == repositories.c.id,
            ).label("repositories"),
        )
        .where(LabRow.deleted_at.is_(None), visible.is_lab_visible(visibility, LabRow.id))
        .order_by(LabRow.name)
    )


async def list_labs(
    session: ReadSession, visibility: Visibility, filters: LabFilters, paging: PageRequest
) -> tuple[int, list[Lab]]:
    """The number of labs, and one page of them by name."""
    statement = _labs(visibility).where(*filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [Lab.model_validate(row) for row in rows]


async def fetch_lab(session: ReadSession, visibility: Visibility, name: str) -> Lab:
    """A lab by name. Raises NotFound."""
    return await fetch_one(session, _labs(visibility), is_named(LabRow.name, name), Lab, f"lab '{name}'")

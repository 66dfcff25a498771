"""Locations: rigs and rooms of labs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.db.pages import fetch_page
from libs.common.db.rows import is_named
from libs.common.db.sessions import ReadSession
from libs.common.schemas.locations import Location
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.metadata.models import LabRow, LocationRow
from services.metadata.queries import visible
from services.metadata.queries.list_filters.locations import LocationFilters
from services.metadata.queries.single_rows import fetch_one


def _locations(visibility: Visibility) -> sa.Select[Any]:
    """All locations; of a narrowed token those of its labs and those without a lab."""
    return (
        sa.select(*LocationRow.__table__.columns, LabRow.name.label("lab"))
        .join(LabRow, LabRow.id == LocationRow.lab_id, isouter=True)
        .where(LocationRow.deleted_at.is_(None), visible.is_lab_visible(visibility, LocationRow.lab_id))
        .order_by(LocationRow.name)
    )


async def list_locations(
    session: ReadSession, visibility: Visibility, filters: LocationFilters, paging: PageRequest
) -> tuple[int, list[Location]]:
    """The number of locations, and one page of them by name."""
    statement = _locations(visibility).where(*filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [Location.model_validate(row) for row in rows]


async def fetch_location(session: ReadSession, visibility: Visibility, name: str) -> Location:
    """A location by name. Raises NotFound."""
    return await fetch_one(
        session, _locations(visibility), is_named(LocationRow.name, name), Location, f"location '{name}'"
    )

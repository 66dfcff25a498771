"""Locations of fields of view: as visible as the session of their field of view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import AnySession, ReadSession, WriteSession
from libs.common.db.conditions import Condition, any_of
from libs.common.db.pages import fetch_page
from libs.common.db.prepared import fetch_rows
from libs.common.problem import NotFound
from libs.common.schemas.fov_locations import FovLocation, FovLocationListed
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.times import naive_utc
from libs.common.visibility import Visibility
from services.metadata.models import FovLocationRow, VocabularyRow
from services.metadata.queries import visible
from services.metadata.queries.list_filters.fov_locations import FovLocationFilters


def _select_locations(*conditions: Condition) -> sa.Select[Any]:
    stored = ("id", "provenance", "default_provenance", "x", "y", "z", "n_xyz", "json", "auto_datetime")
    columns: list[Any] = [
        *(FovLocationRow.__table__.c[name] for name in stored),
        FovLocationRow.field_of_view_id.label("field_of_view"),
        FovLocationRow.brain_region_ids.label("brain_region"),
        VocabularyRow.name.label("coordinate_system"),
    ]
    return (
        sa.select(*columns)
        .join(VocabularyRow, VocabularyRow.id == FovLocationRow.coordinate_system_id, isouter=True)
        .where(FovLocationRow.deleted_at.is_(None), *conditions)
        .order_by(
            FovLocationRow.default_provenance.desc(),
            FovLocationRow.auto_datetime.desc(),
            FovLocationRow.id,
        )
    )


@cache
def _select_every() -> sa.Select[Any]:
    return _select_locations()


def _is_visible(visibility: Visibility) -> Condition:
    return visible.is_field_of_view_visible(visibility, FovLocationRow.field_of_view_id)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "auto_datetime": naive_utc(row["auto_datetime"])}


async def list_fov_locations(
    session: ReadSession, visibility: Visibility, filters: FovLocationFilters, paging: PageRequest
) -> tuple[int, list[FovLocationListed]]:
    """A page of locations, default ones first, then those changed last; and the count of all."""
    statement = _select_locations(_is_visible(visibility), *filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [FovLocationListed.model_validate(_shown(row)) for row in rows]


async def fetch_fov_location(session: ReadSession, visibility: Visibility, location_id: UUID) -> FovLocation:
    """One location. Raises NotFound."""
    statement = _select_locations(_is_visible(visibility), FovLocationRow.id == location_id)
    row = (await session.execute(statement)).mappings().first()
    if row is None:
        raise _missing(location_id)
    return FovLocation.model_validate(_shown(row))


async def fetch_locations_of_fields_of_view(
    session: AnySession, fov_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[FovLocationListed]]:
    """The locations of fields of view that the caller can see, default ones first."""
    locations = defaultdict[UUID, list[FovLocationListed]](list)
    if fov_ids:
        is_of_them = FovLocationRow.field_of_view_id == any_of(fov_ids)
        for row in await fetch_rows(session, _select_every(), [is_of_them]):
            locations[row["field_of_view"]].append(FovLocationListed.model_validate(_shown(row)))
    return locations


async def lock_fov_location(session: WriteSession, location_id: UUID, fov_id: UUID) -> FovLocationRow:
    """A location of a locked field of view, locked. Raises NotFound."""
    statement = sa.select(FovLocationRow).where(
        FovLocationRow.id == location_id,
        FovLocationRow.field_of_view_id == fov_id,
        FovLocationRow.deleted_at.is_(None),
    )
    row = (await session.scalars(statement.with_for_update())).one_or_none()
    if row is None:
        raise _missing(location_id)
    return row


async def find_and_lock_default(
    session: WriteSession, fov_id: UUID, *, other_than: UUID
) -> FovLocationRow | None:
    """The default location of a field of view, if it is another one; locked."""
    statement = sa.select(FovLocationRow).where(
        FovLocationRow.field_of_view_id == fov_id,
        FovLocationRow.default_provenance,
        FovLocationRow.deleted_at.is_(None),
        FovLocationRow.id != other_than,
    )
    return (await session.scalars(statement.with_for_update())).one_or_none()


async def exists_fov_location(
    session: ReadSession, fov_id: UUID, provenance: str, *, other_than: UUID
) -> bool:
    """Whether a field of view has another location of that provenance."""
    location = sa.exists().where(
        FovLocationRow.field_of_view_id == fov_id,
        FovLocationRow.provenance == provenance,
        FovLocationRow.deleted_at.is_(None),
        FovLocationRow.id != other_than,
    )
    return bool(await session.scalar(sa.select(location)))


def _missing(location_id: UUID) -> NotFound:
    return NotFound(f"There is no fov-location {location_id}.")

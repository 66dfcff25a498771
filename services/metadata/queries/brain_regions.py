"""Brain regions: every signed-in user reads them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.pages import fetch_page
from libs.common.filters.regions import is_part_of
from libs.common.problem import NotFound
from libs.common.schemas.brain_regions import BrainRegion
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.metadata.models import VOID, BrainRegionRow
from services.metadata.queries.list_filters.brain_regions import BrainRegionFilters
from services.metadata.queries.single_rows import fetch_one


def _related_descriptions() -> sa.ScalarSelect[Any]:
    """The descriptions of the regions around a region and of its parts, in the order of the tree."""
    related = sa.orm.aliased(BrainRegionRow, name="related")
    described = sa.func.jsonb_build_object(
        "id", related.id, "acronym", related.acronym, "description", related.description
    )
    listed = sa.func.jsonb_agg(sa.dialects.postgresql.aggregate_order_by(described, related.position))
    return (
        sa.select(sa.func.coalesce(listed, sa.text("'[]'::jsonb")))
        .where(related.description != "", related.id.not_in([VOID, BrainRegionRow.id]))
        .where(sa.or_(is_part_of(related, BrainRegionRow), is_part_of(BrainRegionRow, related)))
        .correlate(BrainRegionRow)
        .scalar_subquery()
    )


def _select_regions() -> sa.Select[Any]:
    return sa.select(
        BrainRegionRow.id,
        BrainRegionRow.acronym,
        BrainRegionRow.name,
        BrainRegionRow.description,
        BrainRegionRow.parent_id.label("parent"),
        _related_descriptions().label("related_descriptions"),
    ).order_by(BrainRegionRow.position)


async def list_regions(
    session: ReadSession, visibility: Visibility, filters: BrainRegionFilters, paging: PageRequest
) -> tuple[int, list[BrainRegion]]:
    """A page of brain regions in the order of the tree, and the count of all."""
    statement = _select_regions().where(*filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [BrainRegion.model_validate(row) for row in rows]


async def fetch_region(session: ReadSession, region_id: int) -> BrainRegion:
    """One brain region. Raises NotFound."""
    return await fetch_one(
        session, _select_regions(), _has_id(region_id), BrainRegion, f"brain region {region_id}"
    )


async def lock_region(session: WriteSession, region_id: int) -> BrainRegionRow:
    """A brain region, locked. Raises NotFound."""
    statement = sa.select(BrainRegionRow).where(_has_id(region_id)).with_for_update()
    row = (await session.scalars(statement)).one_or_none()
    if row is None:
        raise NotFound(f"There is no brain region {region_id}.")
    return row


def _has_id(region_id: int) -> sa.ColumnElement[bool]:
    return BrainRegionRow.id == sa.literal(region_id, sa.BigInteger)

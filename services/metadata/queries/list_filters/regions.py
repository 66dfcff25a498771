"""Filters by the brain regions that were recorded: those of channels whose place is aligned to the recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import WhereVisible, contains
from libs.common.schemas.trajectories import ALIGNED
from libs.common.visibility import Visibility
from libs.common.visible import is_session_visible
from services.metadata.models import ActionRow, BrainRegionRow, ChannelRow, InsertionRow, TrajectoryRow
from services.metadata.queries.list_filters.brain_regions import has_acronym, is_part_of

ATLAS_ACRONYM: Final = "Acronym, ignoring case, of a brain region that was recorded, or of one around it."
ATLAS_ID: Final = "Id of a brain region that was recorded, or of one around it."
ATLAS_NAME: Final = "Part of the name of a brain region that was recorded, or of one around it."

Regions = sa.Select[int]
IsInRegions = Callable[[Visibility, Regions], Condition]


def by_acronym(is_in: IsInRegions) -> WhereVisible:
    """The filter `atlas_acronym` of a list whose rows lie in regions by that condition."""
    return WhereVisible(
        lambda visibility, text: is_in(visibility, _select_parts(lambda region: has_acronym(region, text)))
    )


def by_id(is_in: IsInRegions) -> WhereVisible:
    """The same of `atlas_id`."""
    return WhereVisible(
        lambda visibility, region_id: is_in(visibility, _select_parts(lambda region: region.id == region_id))
    )


def by_name(is_in: IsInRegions) -> WhereVisible:
    """The same of `atlas_name`."""
    return WhereVisible(
        lambda visibility, text: is_in(visibility, _select_parts(lambda region: contains(region.name, text)))
    )


def _select_parts(is_region: Callable[[Any], Condition]) -> Regions:
    """The ids of the regions that fulfil a condition, and of all of their parts."""
    region, part = sa.orm.aliased(BrainRegionRow), sa.orm.aliased(BrainRegionRow)
    return sa.select(part.id).join(region, is_part_of(part, region)).where(is_region(region))


def is_session_in(_visibility: Visibility, regions: Regions) -> Condition:
    """A probe of the session recorded in one of the regions. What else records in regions is another OR here."""
    insertion = sa.orm.aliased(InsertionRow)
    sessions = sa.select(insertion.session_id).where(
        insertion.deleted_at.is_(None), insertion.id.in_(_select_owners(regions, TrajectoryRow.insertion_id))
    )
    return ActionRow.id.in_(sessions)


def is_insertion_in(_visibility: Visibility, regions: Regions) -> Condition:
    """The probe recorded in one of the regions."""
    return InsertionRow.id.in_(_select_owners(regions, TrajectoryRow.insertion_id))


def is_chronic_insertion_in(visibility: Visibility, regions: Regions) -> Condition:
    """The chronic probe recorded in one of the regions, by its own line or in a session that the caller can see."""
    insertion = sa.orm.aliased(InsertionRow)
    of_sessions = sa.select(insertion.chronic_insertion_id).where(
        insertion.deleted_at.is_(None),
        insertion.id.in_(_select_owners(regions, TrajectoryRow.insertion_id)),
        is_session_visible(visibility, insertion.session_id),
    )
    of_its_own = _select_owners(
        regions, TrajectoryRow.chronic_insertion_id, TrajectoryRow.insertion_id.is_(None)
    )
    return sa.or_(ActionRow.id.in_(of_its_own), ActionRow.id.in_(of_sessions))


def _select_owners(regions: Regions, owner: Any, *conditions: Condition) -> sa.Select[Any]:
    """What the aligned trajectories with channels in the regions belong to."""
    return (
        sa.select(owner)
        .join(ChannelRow, ChannelRow.trajectory_id == TrajectoryRow.id)
        .where(TrajectoryRow.provenance >= ALIGNED, TrajectoryRow.deleted_at.is_(None), *conditions)
        .where(ChannelRow.brain_region_id.in_(regions), ChannelRow.deleted_at.is_(None), owner.is_not(None))
    )

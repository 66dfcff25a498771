"""Filters by the brain regions that were recorded.

These are the regions of channels whose place is aligned to the recording, and those that the default location of a
field of view covers. `RECORDED_REGIONS` of models/published.py has them for other services.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from libs.common.db.conditions import Condition
from libs.common.filters.regions import Atlas, Regions
from libs.common.schemas.trajectories import ALIGNED
from libs.common.visibility import Visibility
from libs.common.visible import is_session_visible
from services.metadata.models import (
    ActionRow,
    BrainRegionRow,
    ChannelRow,
    FieldOfViewRow,
    FovLocationRow,
    ImagingStackRow,
    InsertionRow,
    TrajectoryRow,
)

ATLAS: Final = Atlas(lambda: sa.orm.aliased(BrainRegionRow))


def is_session_in(_visibility: Visibility, regions: Regions) -> Condition:
    """A probe or a field of view of the session recorded in one of the regions."""
    insertion = sa.orm.aliased(InsertionRow)
    probed = sa.select(insertion.session_id).where(
        insertion.deleted_at.is_(None), insertion.id.in_(_select_owners(regions, TrajectoryRow.insertion_id))
    )
    return ActionRow.id.in_(probed.union_all(_select_imaged(regions, "session_id")))


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


def is_field_of_view_in(_visibility: Visibility, regions: Regions) -> Condition:
    """The default location of the field of view covers one of the regions."""
    return FieldOfViewRow.id.in_(_select_imaged(regions, "id"))


def is_imaging_stack_in(visibility: Visibility, regions: Regions) -> Condition:
    """The same of a slice that the caller can see."""
    return ImagingStackRow.id.in_(_select_imaged(regions, "stack_id", visibility))


def _select_imaged(regions: Regions, column: str, visibility: Visibility | None = None) -> sa.Select[Any]:
    """A column of the fields of view whose default location covers one of the regions; perhaps of those shown."""
    fov, covered = sa.orm.aliased(FieldOfViewRow), sa.func.array(regions.scalar_subquery())
    statement = (
        sa.select(getattr(fov, column))
        .join(FovLocationRow, FovLocationRow.field_of_view_id == fov.id)
        .where(
            FovLocationRow.default_provenance, FovLocationRow.deleted_at.is_(None), fov.deleted_at.is_(None)
        )
        .where(FovLocationRow.brain_region_ids.overlap(sa.type_coerce(covered, ARRAY(sa.Integer))))
    )
    return (
        statement if visibility is None else statement.where(is_session_visible(visibility, fov.session_id))
    )


def _select_owners(regions: Regions, owner: Any, *conditions: Condition) -> sa.Select[Any]:
    """What the aligned trajectories with channels in the regions belong to."""
    return (
        sa.select(owner)
        .join(ChannelRow, ChannelRow.trajectory_id == TrajectoryRow.id)
        .where(TrajectoryRow.provenance >= ALIGNED, TrajectoryRow.deleted_at.is_(None), *conditions)
        .where(ChannelRow.brain_region_id.in_(regions), ChannelRow.deleted_at.is_(None), owner.is_not(None))
    )

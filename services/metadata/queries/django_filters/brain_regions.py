"""Fields of the free filters on brain regions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, Relation, visible_to_all
from services.metadata.models import BrainRegionRow, ChannelRow, FovLocationRow
from services.metadata.queries.django_filters.maps import Fields, from_many, of, under

_region = BrainRegionRow.__table__.c
_around, _inside = BrainRegionRow.__table__.alias("around"), BrainRegionRow.__table__.alias("inside")
_channel, _location = ChannelRow.__table__.c, FovLocationRow.__table__.c
# Pairs of a location and a region, which the planner can hash: an array is searched row by row.
COVERED = sa.select(
    _location.id.label("location_id"), sa.func.unnest(_location.brain_region_ids).label("region_id")
).subquery("region_of_location")


def _fields(region: sa.FromClause) -> dict[str, Field]:
    named = {name: Field(region.c[name], "text") for name in ("acronym", "name", "description")}
    return {"id": Field(region.c.id, "int"), **named}


def _relative(region: sa.FromClause) -> FieldMap:
    """Relatives of a region; a path may go on from them, to theirs."""
    own = BrainRegionRow.__table__.c
    return FieldMap("brain regions", region, {
        **_fields(region),
        "parent": Relation(lambda: BRAIN_REGION_MAP, on=own.id == region.c.parent_id, key=region.c.parent_id),
        "children": Relation(lambda: BRAIN_REGION_MAP, on=own.parent_id == region.c.id),
        **_recorded(region.c),
    }, visible=visible_to_all)  # fmt: skip


def _recorded(region: Any) -> Fields:
    """Channels and locations in a region."""
    return {
        "channels": from_many(of("channels"), _channel, _channel.brain_region_id, region.id),
        **under(Relation(of("locations of fields of view"), on=sa.and_(
            COVERED.c.region_id == region.id, COVERED.c.location_id == _location.id, _location.deleted_at.is_(None),
        )), "brain_region", "fovlocation"),
    }  # fmt: skip


_PARENT_MAP, _CHILD_MAP = _relative(_around), _relative(_inside)
BRAIN_REGION_MAP: FieldMap = FieldMap("brain regions", BrainRegionRow.__table__, {
    **_fields(BrainRegionRow.__table__),
    "parent": Relation(lambda: _PARENT_MAP, on=_around.c.id == _region.parent_id, key=_region.parent_id),
    "children": Relation(lambda: _CHILD_MAP, on=_inside.c.parent_id == _region.id),
    **_recorded(_region),
}, visible=visible_to_all)  # fmt: skip

"""Fields of the free filters on brain regions."""

from __future__ import annotations

from libs.common.filters import Field, FieldMap, Relation, visible_to_all
from services.metadata.models import BrainRegionRow

_region = BrainRegionRow.__table__.c
_around = BrainRegionRow.__table__.alias("around")

_PARENT_MAP = FieldMap("brain regions", _around, {
    "id": Field(_around.c.id, "int"),
    "acronym": Field(_around.c.acronym, "text"),
    "name": Field(_around.c.name, "text"),
    "description": Field(_around.c.description, "text"),
}, visible=visible_to_all)  # fmt: skip
BRAIN_REGION_MAP: FieldMap = FieldMap("brain regions", BrainRegionRow.__table__, {
    "id": Field(_region.id, "int"),
    "acronym": Field(_region.acronym, "text"),
    "name": Field(_region.name, "text"),
    "description": Field(_region.description, "text"),
    "parent": Relation(lambda: _PARENT_MAP, on=_around.c.id == _region.parent_id, key=_region.parent_id),
}, visible=visible_to_all)  # fmt: skip

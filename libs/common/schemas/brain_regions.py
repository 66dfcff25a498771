"""Brain regions of the Allen mouse atlas, as in Alyx."""

from __future__ import annotations

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose


class RegionDescription(Record):
    """The description of a region around or inside another one."""

    id: int
    acronym: str
    description: str


class BrainRegion(Record):
    """A region of the brain; its id is that of the Allen Institute."""

    id: int
    acronym: str
    name: str
    description: str | None
    parent: int | None
    related_descriptions: list[RegionDescription]


class BrainRegionIn(BodyRecord):
    """The description of a brain region: nothing else of it can be changed."""

    description: Prose | None = None

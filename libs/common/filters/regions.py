"""Filters of lists by brain regions: a region stands for itself and for all of its parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import WhereVisible, contains
from libs.common.visibility import Visibility

ATLAS_ACRONYM: Final = "Acronym, ignoring case, of a brain region that was recorded, or of one around it."
ATLAS_ID: Final = "Id of a brain region that was recorded, or of one around it."
ATLAS_NAME: Final = "Part of the name of a brain region that was recorded, or of one around it."

Regions = sa.Select[int]
IsInRegions = Callable[[Visibility, Regions], Condition]


def is_part_of(inner: Any, outer: Any) -> Condition:
    """A region is another one, or lies in it."""
    is_between: Condition = inner.position.between(outer.position, outer.last)
    return is_between


def has_acronym(region: Any, acronym: str) -> Condition:
    """A region has that acronym, ignoring case."""
    condition: Condition = sa.func.lower(region.acronym) == acronym.lower()
    return condition


class Atlas:
    """The tree of regions, by what makes the columns of a new alias of its table or view."""

    def __init__(self, columns: Callable[[], Any]) -> None:
        self._columns = columns

    def by_acronym(self, is_in: IsInRegions) -> WhereVisible:
        """The filter `atlas_acronym` of a list whose rows lie in regions by that condition."""
        return WhereVisible(
            lambda visibility, text: is_in(visibility, self._parts(lambda region: has_acronym(region, text)))
        )

    def by_id(self, is_in: IsInRegions) -> WhereVisible:
        """The same of `atlas_id`."""
        return WhereVisible(
            lambda visibility, number: is_in(visibility, self._parts(lambda region: region.id == number))
        )

    def by_name(self, is_in: IsInRegions) -> WhereVisible:
        """The same of `atlas_name`."""
        return WhereVisible(
            lambda visibility, text: is_in(
                visibility, self._parts(lambda region: contains(region.name, text))
            )
        )

    def _parts(self, is_region: Callable[[Any], Condition]) -> Regions:
        """The ids of the regions that fulfil a condition, and of all of their parts."""
        region, part = self._columns(), self._columns()
        return sa.select(part.id).where(is_part_of(part, region), is_region(region))

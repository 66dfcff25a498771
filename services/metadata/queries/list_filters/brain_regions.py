"""Filters of the list of brain regions."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, contains, parameter
from libs.common.filters.parameters import Text, WholeNumber
from libs.common.filters.regions import has_acronym, is_part_of
from services.metadata.models import VOID, BrainRegionRow
from services.metadata.queries.django_filters.brain_regions import BRAIN_REGION_MAP


def _is_named(region: Any, text: str) -> Condition:
    """A region has that id or, where the text is no number, that acronym."""
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    condition: Condition = region.id == int(text) if is_number else region.acronym == text
    return condition


def _is_around(text: str) -> Condition:
    named = sa.orm.aliased(BrainRegionRow)
    inside = sa.exists().where(_is_named(named, text), is_part_of(named, BrainRegionRow))
    return sa.and_(BrainRegionRow.id != VOID, inside.correlate(BrainRegionRow))


def _is_inside(text: str) -> Condition:
    named = sa.orm.aliased(BrainRegionRow)
    around = sa.exists().where(_is_named(named, text), is_part_of(BrainRegionRow, named))
    return sa.and_(BrainRegionRow.id != VOID, around.correlate(BrainRegionRow))


class BrainRegionFilters(ListFilters):
    """Filters of the list of brain regions."""

    acronym: Annotated[Text, Where(lambda text: has_acronym(BrainRegionRow, text))] = parameter(
        "Acronym, ignoring case."
    )
    ancestors: Annotated[Text, Where(_is_around)] = parameter(
        "Id or acronym of a region: shows it and the regions that it lies in."
    )
    descendants: Annotated[Text, Where(_is_inside)] = parameter(
        "Id or acronym of a region: shows it and all of its parts."
    )
    description: Annotated[Text, Where(lambda text: contains(BrainRegionRow.description, text))] = parameter(
        "Part of the description."
    )
    django: Annotated[Text, FreeFilter(BRAIN_REGION_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    id: Annotated[WholeNumber, Where(lambda region_id: BrainRegionRow.id == region_id)] = parameter("Id.")
    name: Annotated[Text, Where(lambda text: contains(BrainRegionRow.name, text))] = parameter(
        "Part of the name."
    )
    parent: Annotated[WholeNumber, Where(lambda region_id: BrainRegionRow.parent_id == region_id)] = (
        parameter("Id of the region that it is a part of.")
    )

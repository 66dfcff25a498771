"""Filters of the list of locations."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import ListFilters, Where, contains, parameter
from libs.common.filters.parameters import Text
from services.metadata.models import LocationRow


class LocationFilters(ListFilters):
    """Filters of the list of locations."""

    name: Annotated[Text, Where(lambda text: contains(LocationRow.name, text))] = parameter(
        "Part of the location's name, ignoring case."
    )

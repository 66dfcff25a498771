"""Filters of the list of labs."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, parameter
from libs.common.filters.parameters import Text
from services.metadata.models import LabRow
from services.metadata.queries.django_filters.subjects import LAB_MAP


class LabFilters(ListFilters):
    """Filters of the list of labs."""

    name: Annotated[Text, Where(lambda name: LabRow.name == name)] = parameter("Name of the lab.")
    django: Annotated[Text, FreeFilter(LAB_MAP)] = parameter("Alyx's free filter: `field,value,…`.")

"""Filters of the list of imaging stacks."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, parameter
from libs.common.filters.parameters import Text, UuidText, WholeNumber
from libs.common.filters.regions import ATLAS_ACRONYM, ATLAS_ID, ATLAS_NAME
from services.metadata.models import ImagingStackRow
from services.metadata.queries.django_filters.fields_of_view import IMAGING_STACK_MAP
from services.metadata.queries.list_filters.regions import ATLAS, is_imaging_stack_in


class ImagingStackFilters(ListFilters):
    """Filters of the list of imaging stacks."""

    atlas_acronym: Annotated[Text, ATLAS.by_acronym(is_imaging_stack_in)] = parameter(ATLAS_ACRONYM)
    atlas_id: Annotated[WholeNumber, ATLAS.by_id(is_imaging_stack_in)] = parameter(ATLAS_ID)
    atlas_name: Annotated[Text, ATLAS.by_name(is_imaging_stack_in)] = parameter(ATLAS_NAME)
    django: Annotated[Text, FreeFilter(IMAGING_STACK_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    id: Annotated[UuidText, Where(lambda stack_id: ImagingStackRow.id == stack_id)] = parameter("Id.")
    name: Annotated[Text, Where(lambda name: ImagingStackRow.name == name)] = parameter("Name of the stack.")

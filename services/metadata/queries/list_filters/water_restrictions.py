"""Filters of the list of water restrictions."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import Where, is_named, parameter
from libs.common.filters.parameters import Number, Text
from services.metadata.models import ActionRow
from services.metadata.queries.list_filters.actions import ActionFilters
from services.metadata.queries.subselects import WaterType


class WaterRestrictionFilters(ActionFilters):
    """Filters of the list of water restrictions: those of all actions, and its own."""

    reference_weight: Annotated[Number, Where(lambda weight: ActionRow.reference_weight == weight)] = (
        parameter("Reference weight as entered, g.")
    )
    water_type: Annotated[Text, Where(lambda text: is_named(WaterType.name, WaterType.id, text))] = parameter(
        "Name or id of the water type."
    )

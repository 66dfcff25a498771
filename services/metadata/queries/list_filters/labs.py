"""Filters of the list of labs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import FreeFilter, ListFilters, Refused, Where, is_named, parameter
from libs.common.filters.parameters import CommaList, Number, Text, UuidText
from libs.common.published import REPOSITORIES, table
from services.metadata.models import LabRepositoryRow, LabRow
from services.metadata.queries.django_filters.people import LAB_MAP


def _has_repositories(names: Sequence[str]) -> Condition:
    repository = table(REPOSITORIES).alias()
    return sa.and_(
        *(
            sa.exists().where(
                LabRepositoryRow.lab_id == LabRow.id,
                LabRepositoryRow.repository_id == repository.c.id,
                is_named(repository.c.name, repository.c.id, name),
            )
            for name in names
        )
    )


class LabFilters(ListFilters):
    """Filters of the list of labs."""

    address: Annotated[Text, Where(lambda text: LabRow.address == text)] = parameter("Address.")
    cage_cleaning_frequency_days: Annotated[Text, Refused()] = parameter(
        "Refused: how often cages are cleaned is not stored."
    )
    cage_type: Annotated[Text, Refused()] = parameter("Refused: types of cages are not stored.")
    django: Annotated[Text, FreeFilter(LAB_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    enrichment: Annotated[Text, Refused()] = parameter("Refused: the enrichment of cages is not stored.")
    food: Annotated[Text, Refused()] = parameter("Refused: the food in cages is not stored.")
    id: Annotated[UuidText, Where(lambda lab_id: LabRow.id == lab_id)] = parameter("Id.")
    institution: Annotated[Text, Where(lambda text: LabRow.institution == text)] = parameter("Institution.")
    light_cycle: Annotated[Text, Refused()] = parameter("Refused: the light cycle of rooms is not stored.")
    name: Annotated[Text, Where(lambda name: LabRow.name == name)] = parameter("Name of the lab.")
    reference_weight_pct: Annotated[Number, Where(lambda part: LabRow.reference_weight_pct == part)] = (
        parameter("Weight of the reference weight in the expected one.")
    )
    repositories: Annotated[CommaList, Where(_has_repositories)] = parameter(
        "Names or ids of repositories of the lab, all of which must match."
    )
    timezone: Annotated[Text, Where(lambda zone: LabRow.timezone == zone)] = parameter("Time zone.")
    zscore_weight_pct: Annotated[Number, Where(lambda part: LabRow.zscore_weight_pct == part)] = parameter(
        "Weight of the z-score in the expected weight."
    )

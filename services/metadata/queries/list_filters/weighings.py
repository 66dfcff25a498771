"""Filters of the list of weighings."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import FreeFilter, Where, parameter
from libs.common.filters.parameters import DayRange, Number, Text
from services.metadata.models import LabRow, UserRow, WeighingRow
from services.metadata.queries.django_filters.subjects import WEIGHING_MAP
from services.metadata.queries.list_filters.subject_names import SubjectNameFilters


class WeighingFilters(SubjectNameFilters):
    """Filters of the list of weighings."""

    lab: Annotated[Text, Where(lambda name: LabRow.name == name)] = parameter("Name of the subject's lab.")
    user: Annotated[Text, Where(lambda name: UserRow.username == name)] = parameter(
        "Username of the user who weighed."
    )
    date_range: Annotated[DayRange, Where(lambda days: days.contain_text(WeighingRow.date_time))] = parameter(
        "First and last day in the lab's time zone, such as `2024-03-01,2024-03-07`."
    )
    weight: Annotated[Number, Where(lambda weight: WeighingRow.weight == weight)] = parameter("Weight, g.")
    django: Annotated[Text, FreeFilter(WEIGHING_MAP)] = parameter("Alyx's free filter: `field,value,…`.")

"""Filters of the list of weighings."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import Combined, Condition, FreeFilter, ListFilters, Where, parameter
from libs.common.filters.parameters import DayRange, Number, Text
from libs.common.visibility import Visibility
from services.metadata.models import LabRow, SubjectRow, UserRow, WeighingRow
from services.metadata.queries.django_filters.subjects import WEIGHING_MAP


class WeighingFilters(ListFilters):
    """Filters of the list of weighings."""

    nickname: Annotated[Text, Combined()] = parameter("Nickname of the subject.")
    subject: Annotated[Text, Combined()] = parameter("Alias of `nickname`, which takes precedence.")
    lab: Annotated[Text, Where(lambda name: LabRow.name == name)] = parameter("Name of the subject's lab.")
    user: Annotated[Text, Where(lambda name: UserRow.username == name)] = parameter(
        "Username of the user who weighed."
    )
    date_range: Annotated[DayRange, Where(lambda days: days.contain_text(WeighingRow.date_time))] = parameter(
        "First and last day in the lab's time zone, such as `2024-03-01,2024-03-07`."
    )
    weight: Annotated[Number, Where(lambda weight: WeighingRow.weight == weight)] = parameter("Weight, g.")
    django: Annotated[Text, FreeFilter(WEIGHING_MAP)] = parameter("Alyx's free filter: `field,value,…`.")

    def combined(self, _visibility: Visibility) -> list[Condition]:
        """The subject by either of its names."""
        nickname = self.nickname or self.subject
        return [SubjectRow.nickname == nickname] if nickname else []

"""Filters that the lists of surgeries and of water restrictions share."""

from __future__ import annotations

from typing import Annotated

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import Combined, FreeFilter, ListFilters, Where, parameter
from libs.common.filters.parameters import DayRange, Text
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, LabRow, SubjectRow
from services.metadata.queries.django_filters.sessions import ACTION_MAP


class ActionFilters(ListFilters):
    """Filters of a list of actions."""

    subject: Annotated[Text, Combined()] = parameter("Nickname of the subject.")
    nickname: Annotated[Text, Combined()] = parameter("Alias of `subject`, which takes precedence.")
    lab: Annotated[Text, Where(lambda name: LabRow.name == name)] = parameter("Name of the subject's lab.")
    date_range: Annotated[DayRange, Where(lambda days: days.contain(ActionRow.day))] = parameter(
        "First and last day of the start in the lab's time zone, such as `2024-03-01,2024-03-07`."
    )
    django: Annotated[Text, FreeFilter(ACTION_MAP)] = parameter("Alyx's free filter: `field,value,…`.")

    def combined(self, _visibility: Visibility) -> list[Condition]:
        """The subject by either of its names."""
        nickname = self.subject or self.nickname
        return [SubjectRow.nickname == nickname] if nickname else []

"""Filters of the list of weighings."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import FreeFilter, Refused, Where, is_on_clock, parameter
from libs.common.filters.parameters import DayRange, Moment, Number, Text, UuidText
from services.metadata.models import WeighingRow
from services.metadata.queries.django_filters.subjects import WEIGHING_MAP
from services.metadata.queries.list_filters.subject_names import SubjectNameFilters
from services.metadata.queries.list_filters.users import is_user


class WeighingFilters(SubjectNameFilters):
    """Filters of the list of weighings."""

    date_range: Annotated[DayRange, Where(lambda days: days.contain_text(WeighingRow.date_time))] = parameter(
        "First and last day in the lab's time zone, such as `2024-03-01,2024-03-07`."
    )
    date_time: Annotated[Moment, Where(lambda when: is_on_clock(WeighingRow.date_time, when))] = parameter(
        "Time of the weighing, as in the response."
    )
    django: Annotated[Text, FreeFilter(WEIGHING_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    id: Annotated[UuidText, Where(lambda weighing_id: WeighingRow.id == weighing_id)] = parameter("Id.")
    json_: Annotated[Text, FreeFilter(WEIGHING_MAP)] = parameter(
        "Free filter on the JSON field, `path,value,…`, or all of it as an object.", alias="json"
    )
    location: Annotated[Text, Refused()] = parameter("Refused: weighings have no location.")
    name: Annotated[Text, Refused()] = parameter("Refused: weighings have no names.")
    user: Annotated[Text, Where(is_user)] = parameter("Username or id of the user who weighed.")
    users: Annotated[Text, Where(is_user)] = parameter("The same as `user`: one user weighs.")
    weight: Annotated[Number, Where(lambda weight: WeighingRow.weight == weight)] = parameter("Weight, g.")

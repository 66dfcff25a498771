"""Filters of the list of water administrations."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import (
    FreeFilter,
    Refused,
    Where,
    WhereTrue,
    WhereVisible,
    is_named,
    is_on_clock,
    parameter,
)
from libs.common.filters.parameters import DayRange, Moment, Number, Text, Truth, UuidText
from libs.common.visibility import Visibility
from libs.common.visible import is_session_visible
from services.metadata.models import WaterAdministrationRow
from services.metadata.queries.django_filters.subjects import WATER_MAP
from services.metadata.queries.list_filters.subject_names import SubjectNameFilters
from services.metadata.queries.list_filters.users import is_user
from services.metadata.queries.subselects import WaterType


def _is_in_session(visibility: Visibility, session_id: UUID) -> Condition:
    column = WaterAdministrationRow.session_id
    return sa.and_(column == session_id, is_session_visible(visibility, column))


class WaterAdministrationFilters(SubjectNameFilters):
    """Filters of the list of water administrations."""

    adlib: Annotated[Truth, WhereTrue(WaterAdministrationRow.adlib.is_(True))] = parameter(
        "Whether the water was free."
    )
    date_range: Annotated[
        DayRange, Where(lambda days: days.contain_text(WaterAdministrationRow.date_time))
    ] = parameter("First and last day in the lab's time zone, such as `2024-03-01,2024-03-07`.")
    date_time: Annotated[Moment, Where(lambda when: is_on_clock(WaterAdministrationRow.date_time, when))] = (
        parameter("Time of the administration, as in the response.")
    )
    django: Annotated[Text, FreeFilter(WATER_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    id: Annotated[UuidText, Where(lambda water_id: WaterAdministrationRow.id == water_id)] = parameter("Id.")
    json_: Annotated[Text, FreeFilter(WATER_MAP)] = parameter(
        "Free filter on the JSON field, `path,value,…`, or all of it as an object.", alias="json"
    )
    location: Annotated[Text, Refused()] = parameter("Refused: water administrations have no location.")
    name: Annotated[Text, Refused()] = parameter("Refused: water administrations have no names.")
    session: Annotated[UuidText, WhereVisible(_is_in_session)] = parameter("Id of the session.")
    user: Annotated[Text, Where(is_user)] = parameter("Username or id of the user who gave the water.")
    users: Annotated[Text, Where(is_user)] = parameter("The same as `user`: one user gives the water.")
    water_administered: Annotated[
        Number, Where(lambda volume: WaterAdministrationRow.water_administered == volume)
    ] = parameter("Volume, mL.")
    water_type: Annotated[Text, Where(lambda text: is_named(WaterType.name, WaterType.id, text))] = parameter(
        "Name or id of the water type."
    )

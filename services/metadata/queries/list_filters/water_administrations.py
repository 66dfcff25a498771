"""Filters of the list of water administrations."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import FreeFilter, Where, WhereTrue, WhereVisible, parameter
from libs.common.filters.parameters import DayRange, Number, Text, Truth, UuidText
from libs.common.visibility import Visibility
from libs.common.visible import is_session_visible
from services.metadata.models import LabRow, UserRow, WaterAdministrationRow
from services.metadata.queries.django_filters.subjects import WATER_MAP
from services.metadata.queries.list_filters.subject_names import SubjectNameFilters
from services.metadata.queries.subselects import WaterType


def _is_in_session(visibility: Visibility, session_id: UUID) -> Condition:
    column = WaterAdministrationRow.session_id
    return sa.and_(column == session_id, is_session_visible(visibility, column))


class WaterAdministrationFilters(SubjectNameFilters):
    """Filters of the list of water administrations."""

    lab: Annotated[Text, Where(lambda name: LabRow.name == name)] = parameter("Name of the subject's lab.")
    user: Annotated[Text, Where(lambda name: UserRow.username == name)] = parameter(
        "Username of the user who gave the water."
    )
    session: Annotated[UuidText, WhereVisible(_is_in_session)] = parameter("Id of the session.")
    adlib: Annotated[Truth, WhereTrue(WaterAdministrationRow.adlib.is_(True))] = parameter(
        "Whether the water was free."
    )
    water_type: Annotated[Text, Where(lambda name: WaterType.name == name)] = parameter(
        "Name of the water type."
    )
    water_administered: Annotated[
        Number, Where(lambda volume: WaterAdministrationRow.water_administered == volume)
    ] = parameter("Volume, mL.")
    date_range: Annotated[
        DayRange, Where(lambda days: days.contain_text(WaterAdministrationRow.date_time))
    ] = parameter("First and last day in the lab's time zone, such as `2024-03-01,2024-03-07`.")
    django: Annotated[Text, FreeFilter(WATER_MAP)] = parameter("Alyx's free filter: `field,value,…`.")

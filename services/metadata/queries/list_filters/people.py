"""The filters of the lists of labs, users, memberships and locations."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, WhereVisible, contains, parameter
from libs.common.filters.parameters import Text
from services.metadata.models import LabRow, LocationRow, UserRow
from services.metadata.queries import visible
from services.metadata.queries.django_filters.subjects import LAB_MAP, USER_MAP


class LabFilters(ListFilters):
    """Filters of the list of labs."""

    name: Annotated[Text, Where(lambda name: LabRow.name == name)] = parameter("Name of the lab.")
    django: Annotated[Text, FreeFilter(LAB_MAP)] = parameter("Alyx's free filter: `field,value,…`.")


class UserFilters(ListFilters):
    """Filters of the list of users."""

    username: Annotated[Text, Where(lambda name: UserRow.username == name)] = parameter("Username.")
    email: Annotated[Text, WhereVisible(lambda visibility, email: visible.email(visibility) == email)] = (
        parameter("E-mail address; administrators find every address, others only their own.")
    )
    django: Annotated[Text, FreeFilter(USER_MAP)] = parameter("Alyx's free filter: `field,value,…`.")


class MembershipFilters(ListFilters):
    """Filters of the list of memberships."""

    user: Annotated[Text, Where(lambda name: UserRow.username == name)] = parameter("Username.")
    lab: Annotated[Text, Where(lambda name: LabRow.name == name)] = parameter("Name of the lab.")


class LocationFilters(ListFilters):
    """Filters of the list of locations."""

    name: Annotated[Text, Where(lambda text: contains(LocationRow.name, text))] = parameter(
        "Part of the location's name, ignoring case."
    )

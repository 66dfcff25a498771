"""Filters of the list of users."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, WhereVisible, parameter
from libs.common.filters.parameters import Text
from services.metadata.models import UserRow
from services.metadata.queries import visible
from services.metadata.queries.django_filters.subjects import USER_MAP


class UserFilters(ListFilters):
    """Filters of the list of users."""

    username: Annotated[Text, Where(lambda name: UserRow.username == name)] = parameter("Username.")
    email: Annotated[Text, WhereVisible(lambda visibility, email: visible.email(visibility) == email)] = (
        parameter("E-mail address; administrators find every address, others only their own.")
    )
    django: Annotated[Text, FreeFilter(USER_MAP)] = parameter("Alyx's free filter: `field,value,…`.")

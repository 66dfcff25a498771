"""Filters of the list of memberships."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import ListFilters, Where, parameter
from libs.common.filters.parameters import Text
from services.metadata.models import LabRow, UserRow


class MembershipFilters(ListFilters):
    """Filters of the list of memberships."""

    user: Annotated[Text, Where(lambda name: UserRow.username == name)] = parameter("Username.")
    lab: Annotated[Text, Where(lambda name: LabRow.name == name)] = parameter("Name of the lab.")

"""Filters of the list of audit entries."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa

from libs.common.filters.list_filters import ListFilters, Where, parameter
from libs.common.filters.parameters import Text


def _has(name: str) -> Where:
    # By name: the table is in the schema of the service that answers.
    return Where(lambda value: sa.column(name) == value)


class AuditFilters(ListFilters):
    """Filters of the list of audit entries of a service; all are exact."""

    object_type: Annotated[Text, _has("object_type")] = parameter("Type of the object, such as `subject`.")
    object_id: Annotated[Text, _has("object_id")] = parameter("Id of the object.")
    action: Annotated[Text, _has("action")] = parameter("What was done, such as `event.dropped`.")
    username: Annotated[Text, _has("username")] = parameter("Username of who did it.")

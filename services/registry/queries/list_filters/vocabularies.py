"""Filters of the lists of repositories and of vocabularies."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa

from libs.common.filters.list_filters import (
    ListFilters,
    Where,
    WhereTrue,
    parameter,
)
from libs.common.filters.parameters import (
    Text,
    Truth,
    UuidText,
)
from services.registry.models import (
    DatasetTypeRow,
    RepositoryRow,
)


class RepositoryFilters(ListFilters):
    """Filters of the list of repositories."""

    name: Annotated[Text, Where(lambda value: RepositoryRow.name == value)] = parameter("Name.")
    globus_is_personal: Annotated[Truth, Where(RepositoryRow.globus_is_personal.is_)] = parameter(
        "Whether it is personal."
    )
    globus_endpoint_id: Annotated[
        UuidText, Where(lambda value: RepositoryRow.globus_endpoint_id == value)
    ] = parameter("Id of its Globus endpoint.")


class VocabularyFilters(ListFilters):
    """Filters of the list of a vocabulary."""

    name: Annotated[Text, Where(lambda value: _name() == value)] = parameter("Name.")


class DatasetTypeFilters(ListFilters):
    """Filters of the list of dataset types."""

    name: Annotated[Text, Where(lambda value: DatasetTypeRow.name == value)] = parameter("Name.")
    needs_review: Annotated[Truth, WhereTrue(DatasetTypeRow.needs_review)] = parameter(
        "Created by a registration, and not confirmed by an administrator."
    )


def _name() -> sa.ColumnElement[Any]:
    return sa.column("name")  # that of the one table in a vocabulary's list

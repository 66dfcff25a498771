"""Filters of the list of counters of downloads."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa

from libs.common.filters.list_filters import (
    FreeFilter,
    ListFilters,
    Where,
    contains,
    parameter,
)
from libs.common.filters.parameters import (
    Text,
    WholeNumber,
)
from services.registry.models import (
    DatasetRow,
    DatasetTypeRow,
    DownloadRow,
)
from services.registry.queries.django_filters import DOWNLOADS
from services.registry.queries.downloads import username


class DownloadFilters(ListFilters):
    """Filters of the list of counters of downloads."""

    user: Annotated[Text, Where(lambda value: username() == value)] = parameter("Username.")
    dataset: Annotated[Text, Where(lambda value: DatasetRow.name == value)] = parameter(
        "File name of the dataset."
    )
    dataset_type: Annotated[Text, Where(lambda value: contains(DatasetTypeRow.name, value))] = parameter(
        "Part of the name of its dataset type."
    )
    count: Annotated[WholeNumber, Where(lambda value: DownloadRow.count == value)] = parameter(
        "Number of downloads."
    )
    json_: Annotated[Text, Where(lambda value: contains(sa.cast(DownloadRow.json, sa.Text), value))] = (
        parameter("Part of its `json` as text.", alias="json")
    )
    django: Annotated[Text, FreeFilter(DOWNLOADS)] = parameter("Alyx's free filter: `field,value,…`.")

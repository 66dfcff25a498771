"""Filters of the list of counters of downloads."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Relation
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
from libs.common.visible import is_dataset_visible
from services.registry.models import (
    DatasetRow,
    DatasetTypeRow,
    DownloadProjectRow,
    DownloadRow,
)
from services.registry.queries.django_filters import DATASETS, PROJECTS_MAP, USERS_MAP
from services.registry.queries.downloads import username

_download, _for_project = DownloadRow.__table__.c, DownloadProjectRow.__table__.c
_user, _dataset, _project = USERS_MAP.source.c, DATASETS.source.c, PROJECTS_MAP.source.c

DOWNLOADS_MAP = FieldMap("downloads", DownloadRow.__table__, {
    "id": Field(_download.id, "uuid"),
    "count": Field(_download.count, "int"),
    "json": JsonField(_download.json),
    "user": Relation(lambda: USERS_MAP, on=_user.id == _download.user_id, key=_download.user_id),
    "dataset": Relation(lambda: DATASETS, on=_dataset.id == _download.dataset_id, key=_download.dataset_id),
    "projects": Relation(lambda: PROJECTS_MAP, on=sa.and_(
        _for_project.download_id == _download.id, _for_project.project_id == _project.id,
    )),
}, visible=lambda visibility, row: is_dataset_visible(visibility, row.dataset_id))  # fmt: skip


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
    django: Annotated[Text, FreeFilter(DOWNLOADS_MAP)] = parameter("Alyx's free filter: `field,value,…`.")

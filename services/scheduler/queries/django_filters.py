"""Alyx's free filter (`django=`) on tasks."""

from __future__ import annotations

from typing import Final, cast

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, Relation, visible_to_all
from libs.common.filters.dataset_folders import is_dataset_of_field_of_view, is_dataset_of_insertion
from libs.common.neighbour_maps import MetadataMaps, task_map
from libs.common.neighbour_maps.fields import fields_of, to_linked
from libs.common.published import DATASETS, LAB_REPOSITORIES, LABS, REPOSITORIES, table
from libs.common.visible import is_dataset_row_visible
from services.scheduler.models import JobRow

_dataset, _repository, _lab, _in_lab = (
    table(view) for view in (DATASETS, REPOSITORIES, LABS, LAB_REPOSITORIES)
)
_job = cast(sa.Table, JobRow.__table__)

_REPOSITORIES: FieldMap = FieldMap("repositories", _repository, {
    "id": Field(_repository.c.id, "uuid"),
    **fields_of(_repository.c, "text", "name", "hostname", "data_url", "globus_path", "store"),
    "globus_is_personal": Field(_repository.c.globus_is_personal, "bool"),
    "globus_endpoint_id": Field(_repository.c.globus_endpoint_id, "uuid"),
    "lab": to_linked(lambda: _MAPS.labs, _lab, _repository.c.id, _in_lab.c.repository_id, _in_lab.c.lab_id),
}, visible=visible_to_all)  # fmt: skip
_DATASETS: FieldMap = FieldMap("datasets", _dataset, {
    "id": Field(_dataset.c.id, "uuid"),
    **fields_of(_dataset.c, "text", "name", "revision"),
    "collection": Field(_dataset.c.collection, "text", empty_is_null=True),
    "qc": Field(_dataset.c.qc, "int"),
    "default_dataset": Field(_dataset.c.default_revision, "bool"),
}, visible=lambda visibility, row: is_dataset_row_visible(visibility, row, row.public))  # fmt: skip
_MAPS: Final[MetadataMaps] = MetadataMaps(
    lambda: _REPOSITORIES,
    _repository,
    of_session=lambda session: {
        "data_dataset_session_related": Relation(lambda: _DATASETS, on=_dataset.c.session_id == session.id),
        "tasks": Relation(lambda: TASKS, on=_job.c.session_id == session.id),
    },
    of_insertion=lambda insertion: {
        "datasets": Relation(lambda: _DATASETS, on=is_dataset_of_insertion(_dataset.c, insertion))
    },
    of_field_of_view=lambda fov: {
        "datasets": Relation(lambda: _DATASETS, on=is_dataset_of_field_of_view(_dataset.c, fov))
    },
)
TASKS: FieldMap = task_map(_job, lambda job: {
    "session": _MAPS.to_session(job.session_id),
    "data_repository": Relation(
        lambda: _REPOSITORIES, on=_repository.c.id == job.data_repository_id, key=job.data_repository_id
    ),
})  # fmt: skip

"""Fields of the free filters on tasks, which are scheduler's."""

from __future__ import annotations

from libs.common.filters import FieldMap, Relation
from libs.common.neighbour_maps import task_map
from libs.common.published import JOBS, table
from services.metadata.models import ActionRow
from services.metadata.queries.django_filters.maps import of, to_one
from services.metadata.queries.django_filters.people import REPOSITORY_MAP

TASK_MAP: FieldMap = task_map(table(JOBS), lambda job: {
    "session": Relation(of("sessions"), on=ActionRow.__table__.c.id == job.session_id, key=job.session_id),
    "data_repository": to_one(REPOSITORY_MAP, job.data_repository_id),
})  # fmt: skip

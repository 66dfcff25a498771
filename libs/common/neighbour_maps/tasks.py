"""Fields of the free filter on tasks: over scheduler's own table, and over its view in other services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from libs.common.db.conditions import Condition
from libs.common.filters import Field, FieldMap, JsonField, Relation
from libs.common.neighbour_maps.fields import Fields, Target, fields_of
from libs.common.published import LAB_REPOSITORIES, alias
from libs.common.schemas.states import JobState
from libs.common.visibility import Visibility
from libs.common.visible import is_session_visible

_CODES: Final = {state.value: state.alyx_code for state in JobState}


def is_task_visible(visibility: Visibility, job: Any) -> Condition:
    """Tasks of visible sessions, and those without a session that the caller may know of."""
    of_session = is_session_visible(visibility, job.session_id)
    without: Condition = sa.true() if visibility.everything else is_visible_without_session(visibility, job)
    return sa.or_(of_session, sa.and_(job.session_id.is_(None), without))


def is_visible_without_session(visibility: Visibility, job: Any) -> Condition:
    """The owner's, and those of members and workers of the lab whose repository the job names; never public."""
    if visibility.public_only:
        return sa.false()
    link = alias(LAB_REPOSITORIES, "of the job")
    of_lab = sa.exists().where(link.c.repository_id == job.data_repository_id).correlate_except(link)
    if visibility.work_labs is not None:
        of_lab = of_lab.where(link.c.lab_id.in_(visibility.member_labs | visibility.work_labs))
    return of_lab if visibility.user_id is None else sa.or_(job.owner_id == visibility.user_id, of_lab)


def shown_log(job: Any) -> sa.ColumnElement[str | None]:
    """The log of a job; the reason of its state where no log was ever written, null where it was cleared."""
    return sa.func.nullif(sa.func.coalesce(job.log, job.reason), "")


def _fields(job: Any) -> Fields:
    of_probe = sa.func.jsonb_build_object("pname", job.probe, type_=JSONB)
    # Rows from before NUL was refused: JSON may contain it, JSONB may not.
    has_nul = sa.func.strpos(job.arguments, r"\u0000") > 0
    no_value = sa.or_(job.arguments == "", has_nul)
    arguments = sa.case((job.probe != "", of_probe), (no_value, None), else_=sa.cast(job.arguments, JSONB))
    return {
        "id": Field(job.id, "uuid"),
        "name": Field(job.task, "text"),
        "status": Field(sa.case(_CODES, value=job.state, else_=JobState.HELD.alyx_code), "int"),
        "log": Field(shown_log(job), "text"),
        "datetime": Field(job.updated_at, "datetime"),
        "arguments": JsonField(arguments),
        **fields_of(job, "text", "graph", "version", "executable"),
        **fields_of(job, "int", "level", "priority", "cpu", "gpu", "ram", "io_charge", "time_out_secs"),
        "time_elapsed_secs": Field(job.time_elapsed_secs, "float"),
    }


def task_map(source: sa.FromClause, relations: Callable[[Any], Fields]) -> FieldMap:
    """The tasks of a table or view; `relations` are those to rows of other kinds, of the columns of its rows."""
    related = source.alias("related_job")
    # Pairs of a job and a parent, which the planner can hash: an array is searched row by row.
    pair = sa.select(
        source.c.id.label("job_id"), sa.func.unnest(source.c.parents).label("parent_id")
    ).subquery("parent_of_job")

    def fields(job: Any, other: Any, target: Target) -> Fields:
        return (
            _fields(job)
            | relations(job)
            | {
                "parents": Relation(
                    target, on=sa.and_(pair.c.job_id == job.id, pair.c.parent_id == other.id)
                ),
                "children": Relation(
                    target, on=sa.and_(pair.c.parent_id == job.id, pair.c.job_id == other.id)
                ),
            }
        )

    others = FieldMap(
        "related tasks", related, fields(related.c, source.c, lambda: tasks), visible=is_task_visible
    )
    tasks = FieldMap("tasks", source, fields(source.c, related.c, lambda: others), visible=is_task_visible)
    return tasks

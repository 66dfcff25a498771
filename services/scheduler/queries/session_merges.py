"""Tasks and jobs of merged sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import WriteSession
from libs.common.db.conditions import Condition, any_of
from libs.common.db.moving import Movable
from services.scheduler.models import JobRow

_Other = sa.orm.aliased(JobRow, name="other")


def _is_free(session_id: sa.ColumnElement[Any]) -> Condition:
    """A session has no job in the slot of this one."""
    taken = sa.exists().where(
        _Other.session_id == session_id,
        _Other.task == JobRow.task,
        _Other.probe == JobRow.probe,
        _Other.arguments == JobRow.arguments,
        _Other.owner_id.is_not_distinct_from(JobRow.owner_id),
    )
    return ~taken.correlate_except(_Other)


JOBS: Final = Movable(JobRow.session_id, "task", _is_free)


async def lock_moved_jobs(session: WriteSession, job_ids: Sequence[UUID]) -> list[JobRow]:
    """Those of some jobs that are derived, locked."""
    statement = (
        sa.select(JobRow)
        .where(JobRow.id == any_of(job_ids), JobRow.is_derived)
        .order_by(JobRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return [*await session.scalars(statement)]

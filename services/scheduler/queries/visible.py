"""Which jobs a caller can see: the rule of libs/common/visible.py, and that of jobs without a session."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common import visible
from libs.common.db import ReadSession
from libs.common.db.conditions import Condition
from libs.common.neighbour_maps.tasks import is_visible_without_session
from libs.common.published import SESSIONS, table
from libs.common.visibility import Visibility
from services.scheduler.models import JobRow


async def exists_session(session: ReadSession, visibility: Visibility, session_id: UUID) -> bool:
    """Whether there is a session that the caller can see."""
    return bool(await session.scalar(sa.select(visible.is_session_visible(visibility, session_id))))


def is_job_visible(visibility: Visibility) -> Condition:
    """Jobs the caller can see; `table(SESSIONS)` is left-joined."""
    session = table(SESSIONS)
    if visibility.everything:
        return sa.or_(session.c.id.is_not(None), JobRow.session_id.is_(None))
    of_session = sa.and_(
        session.c.id.is_not(None), visible.is_session_row_visible(visibility, session.c.id, session.c.lab_id)
    )
    return _is_either(visibility, JobRow.__table__.c, of_session)


def _is_either(visibility: Visibility, job: Any, of_session: Condition) -> Condition:
    without = is_visible_without_session(visibility, job)
    return sa.or_(of_session, sa.and_(job.session_id.is_(None), without))

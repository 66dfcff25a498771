"""Which jobs a caller may know of: the rule of libs/common/visible.py, and that of jobs without a session."""

from __future__ import annotations

import sqlalchemy as sa

from libs.common import visible
from libs.common.published import LAB_REPOSITORIES, SESSIONS, table
from libs.common.visibility import Visibility
from services.scheduler.models import JobRow

Condition = sa.ColumnElement[bool]


def jobs(seen: Visibility) -> Condition:
    """Jobs the caller may know of; `table(SESSIONS)` is left-joined."""
    if seen.everything:
        return sa.true()
    session = table(SESSIONS)
    of_session = sa.and_(
        session.c.id.is_not(None), visible.session_row_visible(seen, session.c.id, session.c.lab_id)
    )
    return sa.or_(of_session, sa.and_(JobRow.session_id.is_(None), _without_session(seen)))


def _without_session(seen: Visibility) -> Condition:
    """Its maker's, that of the people and workers of the lab whose repository it names; never public readers'."""
    if seen.public_only:
        return sa.false()
    link = table(LAB_REPOSITORIES).alias()
    of_lab = sa.exists().where(link.c.repository_id == JobRow.data_repository_id).correlate_except(link)
    if seen.work_labs is not None:
        of_lab = of_lab.where(link.c.lab_id.in_(seen.member_labs | seen.work_labs))
    return of_lab if seen.user_id is None else sa.or_(JobRow.owner_id == seen.user_id, of_lab)

"""The rule of libs/common/visible.py on metadata's own rows, which may be deleted."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common import visible
from libs.common.permissions import Visibility
from services.metadata.models import ActionRow, ProjectRow, SubjectRow

Condition = sa.ColumnElement[bool]


def projects(seen: Visibility) -> Condition:
    """Projects the caller may know of."""
    row = visible.project_row_visible(seen, ProjectRow.id, ProjectRow.is_private)
    return sa.and_(ProjectRow.deleted_at.is_(None), row)


def sessions(seen: Visibility, action: Any = ActionRow) -> Condition:
    """Sessions the caller may know of."""
    return sa.and_(action.deleted_at.is_(None), visible.session_row_visible(seen, action.id, action.lab_id))


def session_id(seen: Visibility, column: Any) -> Any:
    """A column that names a session; null where the caller may not know of it."""
    return sa.case((visible.session_visible(seen, column), column))


def subjects(seen: Visibility, subject: Any = SubjectRow) -> Condition:
    """Animals the caller may know of."""
    return sa.and_(
        subject.deleted_at.is_(None), visible.subject_row_visible(seen, subject.id, subject.lab_id)
    )

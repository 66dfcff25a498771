"""Who sees the rows of metadata's views: `libs/common/visible.py` on the rows of a map."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common import visible
from libs.common.db.conditions import Condition
from libs.common.published import LINES, USERS, alias, table
from libs.common.visibility import Visibility


def is_session_visible(visibility: Visibility, row: Any) -> Condition:
    """Sessions the caller can see."""
    return visible.is_session_row_visible(visibility, row.id, row.lab_id)


def is_of_visible_session(visibility: Visibility, row: Any) -> Condition:
    """Rows of sessions that the caller can see."""
    return visible.is_session_visible(visibility, row.session_id)


def is_subject_visible(visibility: Visibility, row: Any) -> Condition:
    """Subjects the caller can see."""
    return visible.is_subject_row_visible(visibility, row.id, row.lab_id)


def is_note_visible(visibility: Visibility, row: Any) -> Condition:
    """Notes on sessions and subjects that the caller can see."""
    of_session = visible.is_session_visible(visibility, row.object_id)
    of_subject = visible.is_subject_visible(visibility, row.object_id)
    return sa.or_(
        sa.and_(row.content_type == "session", of_session), sa.and_(row.content_type == "subject", of_subject)
    )


def is_lab_visible(visibility: Visibility, row: Any) -> Condition:
    """Labs the caller can see."""
    return visible.is_lab_row_visible(visibility, row.id)


def is_of_visible_lab(visibility: Visibility, row: Any) -> Condition:
    """Rows of labs that the caller can see, and those of no lab."""
    return sa.or_(row.lab_id.is_(None), visible.is_lab_row_visible(visibility, row.lab_id))


def is_litter_visible(visibility: Visibility, row: Any) -> Condition:
    """Litters of lines that the caller can see, and those of no line."""
    line = alias(LINES, "of a litter")
    hidden = sa.exists().where(line.c.id == row.line_id, ~is_of_visible_lab(visibility, line.c))
    return ~hidden.correlate_except(line)


def is_project_visible(visibility: Visibility, row: Any) -> Condition:
    """Projects the caller can see."""
    return visible.is_project_row_visible(visibility, row.id, row.is_private)


def is_user_visible(visibility: Visibility, row: Any) -> Condition:
    """All users; of a narrowed token the caller, as the members of its labs and projects are metadata's."""
    return sa.true() if visibility.labs is None else row.id == visibility.caller_id


def is_email_visible(visibility: Visibility) -> Condition:
    """Administrators see all addresses, other users their own; a shared account none."""
    if visibility.every_email:
        return sa.true()
    if visibility.public_only or visibility.user_id is None:
        return sa.false()
    return table(USERS).c.id == visibility.user_id

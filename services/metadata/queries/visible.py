"""The rule of libs/common/visible.py on metadata's own rows, which may be deleted."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common import visible
from libs.common.db.conditions import Condition
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionRow,
    FieldOfViewRow,
    ImagingStackRow,
    LineRow,
    MembershipRow,
    ProjectRow,
    ProjectUserRow,
    SubjectRow,
    UserRow,
)


def is_project_visible(visibility: Visibility) -> Condition:
    """Projects the caller can see."""
    row = visible.is_project_row_visible(visibility, ProjectRow.id, ProjectRow.is_private)
    return sa.and_(ProjectRow.deleted_at.is_(None), row)


def is_session_visible(visibility: Visibility, action: Any = ActionRow) -> Condition:
    """Sessions the caller can see."""
    return sa.and_(
        action.deleted_at.is_(None), visible.is_session_row_visible(visibility, action.id, action.lab_id)
    )


def session_id(visibility: Visibility, column: Any) -> Any:
    """A column that names a session; null where the caller may not know of it."""
    return sa.case((visible.is_session_visible(visibility, column), column))


def is_action_visible(visibility: Visibility, action_id: Any) -> Condition:
    """The surgery, restriction or chronic insertion of that id exists, and the caller can see its subject."""
    action = sa.orm.aliased(ActionRow)
    visible_action = sa.exists().where(
        action.id == action_id,
        action.deleted_at.is_(None),
        visible.is_subject_visible(visibility, action.subject_id),
    )
    return visible_action.correlate_except(action)


def action_id(visibility: Visibility, column: Any) -> Any:
    """A column that names such an action; null where the caller may not know of it."""
    # Null first: few rows name one, and all actions may be read to look whether it is visible.
    return sa.case((column.is_(None), None), (is_action_visible(visibility, column), column))


def is_field_of_view_visible(visibility: Visibility, field_of_view_id: Any) -> Condition:
    """The field of view of that id exists, and the caller can see its session."""
    fov = sa.orm.aliased(FieldOfViewRow)
    visible_fov = sa.exists().where(
        fov.id == field_of_view_id,
        fov.deleted_at.is_(None),
        visible.is_session_visible(visibility, fov.session_id),
    )
    return visible_fov.correlate_except(fov)


def is_imaging_stack_visible(visibility: Visibility, stack: Any = ImagingStackRow) -> Condition:
    """Stacks the caller can see: those with a slice in a visible session; one without slices is its creator's."""
    if visibility.everything:
        return sa.true()
    fov = sa.orm.aliased(FieldOfViewRow)
    in_stack = sa.and_(fov.stack_id == stack.id, fov.deleted_at.is_(None))
    is_shown = sa.exists().where(in_stack, visible.is_session_visible(visibility, fov.session_id))
    if visibility.user_id is None:
        return is_shown.correlate_except(fov)
    has_slices = sa.exists().where(in_stack).correlate_except(fov)
    is_own = sa.and_(stack.created_by_id == visibility.user_id, ~has_slices)
    return sa.or_(is_shown.correlate_except(fov), is_own)


def is_lab_visible(visibility: Visibility, lab_id: Any) -> Condition:
    """Labs the caller can see; rows without a lab are visible to all."""
    return sa.or_(lab_id.is_(None), visible.is_lab_row_visible(visibility, lab_id))


def is_line_visible(visibility: Visibility, line_id: Any) -> Condition:
    """Lines of labs that the caller can see, and those of no lab; no line is visible to all."""
    if visibility.labs is None or visibility.only_projects is None:
        return sa.true()
    line = sa.orm.aliased(LineRow)
    hidden = sa.exists().where(line.id == line_id, ~is_lab_visible(visibility, line.lab_id))
    return ~hidden.correlate_except(line)


def is_membership_visible(visibility: Visibility, membership: Any) -> Condition:
    """Memberships as in the list of memberships."""
    is_of_lab = sa.true() if visibility.labs is None else membership.lab_id.in_(visibility.labs)
    return sa.and_(sa.literal(not visibility.public_only), is_of_lab)


def is_user_visible(visibility: Visibility, user: Any = UserRow) -> Condition:
    """Users the caller can see: all; with a narrowed token those who work in its labs and projects."""
    if visibility.labs is None or visibility.only_projects is None:
        return sa.true()
    in_lab = sa.exists().where(
        MembershipRow.user_id == user.id,
        MembershipRow.deleted_at.is_(None),
        MembershipRow.lab_id.in_(visibility.labs),
    )
    in_project = sa.exists().where(
        ProjectUserRow.user_id == user.id, ProjectUserRow.project_id.in_(visibility.only_projects)
    )
    return sa.or_(
        user.id == visibility.caller_id,
        in_lab.correlate_except(MembershipRow),
        in_project.correlate_except(ProjectUserRow),
    )


def is_subject_visible(visibility: Visibility, subject: Any = SubjectRow) -> Condition:
    """Subjects the caller can see."""
    return sa.and_(
        subject.deleted_at.is_(None), visible.is_subject_row_visible(visibility, subject.id, subject.lab_id)
    )


def is_email_visible(visibility: Visibility) -> Condition:
    """Users whose e-mail address the caller may see: administrators see all, other users their own.

    A shared account sees none: several people use it.
    """
    if visibility.every_email:
        return sa.true()
    if visibility.public_only or visibility.user_id is None:
        return sa.false()
    return UserRow.__table__.c.id == visibility.user_id


def email(visibility: Visibility) -> sa.ColumnElement[str]:
    """An e-mail address as the caller sees it: empty where it is not shown."""
    return sa.case((is_email_visible(visibility), UserRow.email), else_=sa.literal("", sa.Text()))

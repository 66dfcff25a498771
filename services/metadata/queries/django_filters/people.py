"""Fields of the free filters on users, labs, projects, locations and repositories."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Relation, visible_to_all
from libs.common.filters.shared_maps import username_map
from libs.common.published import REPOSITORIES, table
from libs.common.visibility import Visibility
from libs.common.visible import is_lab_row_visible, is_project_row_visible
from services.metadata.models import (
    ActionRow,
    ActionUserRow,
    DelegateRow,
    LabRepositoryRow,
    LabRow,
    LocationRow,
    MembershipRow,
    ProjectRow,
    ProjectUserRow,
    SessionProjectRow,
    SubjectProjectRow,
    SubjectRow,
    UserRow,
)
from services.metadata.queries import visible
from services.metadata.queries.django_filters.maps import (
    declared,
    from_many,
    of,
    texts,
    to_linked,
    to_many,
    to_one,
    truths,
    under,
)


def _columns(row: Any) -> Any:
    return row.__table__.c


user, lab, project, location = map(_columns, (UserRow, LabRow, ProjectRow, LocationRow))
_subject, _action, _membership = map(_columns, (SubjectRow, ActionRow, MembershipRow))
_lab_repository, _project_user, _subject_project, _session_project, _action_user, _delegate = map(
    _columns,
    (LabRepositoryRow, ProjectUserRow, SubjectProjectRow, SessionProjectRow, ActionUserRow, DelegateRow),
)
_repository = table(REPOSITORIES)
_delegates = UserRow.__table__.alias("delegates_of_user")
NAMED_USERS = username_map(UserRow.__table__.alias("named_user"))
_is_current_member = sa.and_(
    _membership.deleted_at.is_(None),
    _membership.start_date <= sa.func.current_date(),
    sa.or_(_membership.end_date.is_(None), _membership.end_date >= sa.func.current_date()),
)


def _is_visible_project(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return sa.and_(row.deleted_at.is_(None), is_project_row_visible(visibility, row.id, row.is_private))


def is_of_visible_lab(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    """Records of labs that the caller can see, and those of none."""
    return visible.is_lab_visible(visibility, row.lab_id)


REPOSITORY_MAP: FieldMap = FieldMap("repositories", _repository, {
    "id": Field(_repository.c.id, "uuid"),
    "globus_endpoint_id": Field(_repository.c.globus_endpoint_id, "uuid"),
    **texts(_repository.c, "name", "data_url", "hostname", "globus_path", "store"),
    **truths(_repository.c, "globus_is_personal"),
    **under(to_linked(
        of("labs"), lab, _lab_repository.repository_id, _repository.c.id, _lab_repository.lab_id
    ), "lab", "labs"),
}, visible=visible_to_all)  # fmt: skip
_DELEGATE_MAP = FieldMap("delegates", _delegates, {
    "id": Field(_delegates.c.id, "uuid"),
    "username": Field(_delegates.c.username, "text"),
}, visible=visible.is_user_visible)  # fmt: skip
USER_MAP: FieldMap = FieldMap("users", UserRow.__table__, {
    "id": Field(user.id, "uuid"),
    "date_joined": Field(user.created_at, "datetime"),
    **texts(user, "username"),
    "email": Field(user.email, "text", shown=visible.is_email_visible),
    **truths(user, "is_active", "is_staff", "is_superuser", "is_stock_manager", "is_public_user"),
    "allowed_users": to_many(_DELEGATE_MAP, _delegate.user_id, user.id, _delegate.delegate_id),
    "lab": Relation(of("labs"), on=sa.and_(
        _membership.user_id == user.id, _membership.lab_id == lab.id, lab.deleted_at.is_(None), _is_current_member,
    )),
    **under(from_many(of("subjects"), _subject, _subject.responsible_user_id, user.id),
            "subjects_responsible", "subject"),
    **under(to_linked(of("sessions"), _action, _action_user.user_id, user.id, _action_user.action_id),
            "actions_sessions", "session", "sessions"),
    **under(to_linked(of("projects"), project, _project_user.user_id, user.id, _project_user.project_id),
            "project", "projects"),
    "labmembership": from_many(lambda: MEMBERSHIP_MAP, _membership, _membership.user_id, user.id),
}, visible=visible.is_user_visible)  # fmt: skip
MEMBERSHIP_MAP: FieldMap = FieldMap("memberships", MembershipRow.__table__, {
    "id": Field(_membership.id, "uuid"),
    "role": Field(_membership.role, "text"),
    "start_date": Field(_membership.start_date, "date"),
    "end_date": Field(_membership.end_date, "date"),
    "user": to_one(USER_MAP, _membership.user_id),
    "lab": Relation(of("labs"), on=lab.id == _membership.lab_id, key=_membership.lab_id),
}, visible=lambda visibility, row: sa.and_(
    row.deleted_at.is_(None), visible.is_membership_visible(visibility, row)
))  # fmt: skip
LAB_MAP: FieldMap = declared(FieldMap("labs", LabRow.__table__, {
    "id": Field(lab.id, "uuid"),
    **texts(lab, "name", "institution", "address", "timezone"),
    "reference_weight_pct": Field(lab.reference_weight_pct, "float"),
    "zscore_weight_pct": Field(lab.zscore_weight_pct, "float"),
    "json": JsonField(lab.json),
    "repositories": to_many(REPOSITORY_MAP, _lab_repository.lab_id, lab.id, _lab_repository.repository_id),
    **under(from_many(of("subjects"), _subject, _subject.lab_id, lab.id), "subject", "subjects"),
    **under(from_many(of("sessions"), _action, _action.lab_id, lab.id), "session", "sessions"),
    **under(from_many(of("locations"), location, location.lab_id, lab.id), "lablocation", "locations"),
    "labmembership": from_many(lambda: MEMBERSHIP_MAP, _membership, _membership.lab_id, lab.id),
    "users": Relation(lambda: USER_MAP, on=sa.and_(
        _membership.lab_id == lab.id, _membership.user_id == user.id, user.deleted_at.is_(None), _is_current_member,
    )),
}, visible=lambda visibility, row: is_lab_row_visible(visibility, row.id)))  # fmt: skip
PROJECT_MAP: FieldMap = declared(FieldMap("projects", ProjectRow.__table__, {
    "id": Field(project.id, "uuid"),
    **texts(project, "name", "description"),
    "json": JsonField(project.json),
    "users": to_many(USER_MAP, _project_user.project_id, project.id, _project_user.user_id),
    **under(to_linked(
        of("subjects"), _subject, _subject_project.project_id, project.id, _subject_project.subject_id
    ), "subject", "subjects"),
    **under(to_linked(
        of("sessions"), _action, _session_project.project_id, project.id, _session_project.session_id
    ), "session", "sessions"),
}, visible=_is_visible_project))  # fmt: skip
LOCATION_MAP: FieldMap = declared(FieldMap("locations", LocationRow.__table__, {
    "id": Field(location.id, "uuid"),
    "name": Field(location.name, "text"),
    "json": JsonField(location.json),
    "lab": to_one(LAB_MAP, location.lab_id),
    **under(from_many(of("sessions"), _action, _action.location_id, location.id), "session", "sessions"),
}, visible=is_of_visible_lab))  # fmt: skip

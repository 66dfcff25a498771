"""Fields of the free filters on sessions and other actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Relation, Visible
from libs.common.filters.shared_maps import nickname_map
from libs.common.schemas.states import ActionKind
from libs.common.visibility import Visibility
from libs.common.visible import is_session_visible
from services.metadata.models import (
    ActionProcedureRow,
    ActionRow,
    ActionUserRow,
    FieldOfViewRow,
    InsertionRow,
    SessionProjectRow,
)
from services.metadata.queries.django_filters.datasets import DATASET_MAP, dataset
from services.metadata.queries.django_filters.maps import (
    Fields,
    clock,
    declared,
    from_many,
    of,
    to_many,
    to_one,
)
from services.metadata.queries.django_filters.notes import notes_of
from services.metadata.queries.django_filters.people import (
    LAB_MAP,
    LOCATION_MAP,
    NAMED_USERS,
    PROJECT_MAP,
    USER_MAP,
)
from services.metadata.queries.django_filters.subjects import (
    SUBJECT_MAP,
    TERM_MAP,
    WATER_MAP,
    is_of_visible_subject,
    water,
)
from services.metadata.queries.django_filters.tasks import TASK_MAP

_action, _insertion = ActionRow.__table__, InsertionRow.__table__.c
_fov = FieldOfViewRow.__table__.c
_user, _procedure = ActionUserRow.__table__.c, ActionProcedureRow.__table__.c
_membership = SessionProjectRow.__table__.c
_parent = _action.alias("parent_session")
_subject = SUBJECT_MAP.source.c
_named_subject = SUBJECT_MAP.source.alias("named_subject")
_NAMED_SUBJECTS = nickname_map(_named_subject)


def _is_visible_session(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return is_session_visible(visibility, row.id)


def fields_of_action(action: Any) -> Fields:
    """The fields that all kinds of actions have."""
    return {
        "id": Field(action.id, "uuid"),
        "narrative": Field(action.narrative, "text"),
        "start_time": clock(action.start_time),
        "end_time": clock(action.end_time),
        "json": JsonField(action.json),
        "subject": to_one(SUBJECT_MAP, action.subject_id),
        "lab": to_one(LAB_MAP, action.lab_id),
        "location": to_one(LOCATION_MAP, action.location_id),
        "users": to_many(USER_MAP, _user.action_id, action.id, _user.user_id, NAMED_USERS),
        "procedures": to_many(TERM_MAP, _procedure.action_id, action.id, _procedure.procedure_id),
    }


def _fields_of_session(action: Any) -> Fields:
    return fields_of_action(action) | {
        "subject": Relation(
            lambda: SUBJECT_MAP,
            on=_subject.id == action.subject_id,
            key=action.subject_id,
            shown=Relation(lambda: _NAMED_SUBJECTS, on=_named_subject.c.id == action.subject_id),
        ),
        "number": Field(action.number, "int"),
        "type": Field(action.type, "text"),
        "task_protocol": Field(action.task_protocol, "text"),
        "n_trials": Field(action.n_trials, "int"),
        "n_correct_trials": Field(action.n_correct_trials, "int"),
        "qc": Field(action.qc, "int"),
        "extended_qc": JsonField(action.extended_qc),
        "auto_datetime": Field(action.auto_datetime, "datetime"),
        "projects": to_many(PROJECT_MAP, _membership.session_id, action.id, _membership.project_id),
        "data_dataset_session_related": Relation(lambda: DATASET_MAP, on=dataset.c.session_id == action.id),
        "probe_insertion": from_many(of("insertions"), _insertion, _insertion.session_id, action.id),
        "field_of_view": from_many(of("fields of view"), _fov, _fov.session_id, action.id),
        "tasks": Relation(lambda: TASK_MAP, on=TASK_MAP.source.c.session_id == action.id),
        "notes": notes_of("session", action.id),
        "wateradmin_session_related": from_many(lambda: WATER_MAP, water, water.session_id, action.id),
    }


def _parent_and_parts(action: Any, other: Any, target: Callable[[], FieldMap]) -> Fields:
    """The session that a session is part of, and those that are part of it; a path may go on from either."""
    return {
        "parent_session": Relation(
            target, on=other.id == action.parent_session_id, key=action.parent_session_id
        ),
        "session": Relation(target, on=other.parent_session_id == action.id),
    }


PARENT_SESSION_MAP = FieldMap("parent sessions", _parent, _fields_of_session(_parent.c) | _parent_and_parts(
    _parent.c, _action.c, of("sessions")
), visible=_is_visible_session)  # fmt: skip
SESSION_MAP: FieldMap = declared(FieldMap("sessions", _action, _fields_of_session(_action.c) | _parent_and_parts(
    _action.c, _parent.c, lambda: PARENT_SESSION_MAP
), visible=_is_visible_session))  # fmt: skip
_FIELDS_OF_ACTION: Fields = fields_of_action(_action.c) | {
    "outcome_type": Field(_action.c.outcome_type, "text"),
    "implant_weight": Field(_action.c.implant_weight, "float"),
    "reference_weight": Field(_action.c.reference_weight, "float"),
    "water_type": to_one(TERM_MAP, _action.c.water_type_id),
}


def is_visible_action(kind: ActionKind) -> Visible:
    """Actions of a kind, of subjects that the caller can see."""
    return lambda visibility, row: sa.and_(row.kind == kind, is_of_visible_subject(visibility, row))


ACTION_MAP = FieldMap("actions", _action, _FIELDS_OF_ACTION, visible=is_of_visible_subject)
SURGERY_MAP: FieldMap = declared(
    FieldMap("surgeries", _action, _FIELDS_OF_ACTION, visible=is_visible_action(ActionKind.SURGERY))
)
RESTRICTION_MAP: FieldMap = declared(
    FieldMap(
        "water restrictions",
        _action,
        _FIELDS_OF_ACTION,
        visible=is_visible_action(ActionKind.WATER_RESTRICTION),
    )
)

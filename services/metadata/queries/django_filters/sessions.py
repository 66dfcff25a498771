"""Fields of the free filters on sessions, other actions and probes, with the files that are registry's."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Relation, visible_to_all
from libs.common.filters.shared_maps import dataset_type_map, nickname_map
from libs.common.published import COPIES, DATASET_TAGS, DATASET_TYPES, DATASETS, table
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_row_visible, is_dataset_visible, is_session_visible
from services.metadata.models import (
    ActionProcedureRow,
    ActionRow,
    ActionUserRow,
    ChannelRow,
    InsertionRow,
    SessionProjectRow,
    TrajectoryRow,
)
from services.metadata.queries import visible
from services.metadata.queries.django_filters.brain_regions import BRAIN_REGION_MAP
from services.metadata.queries.django_filters.subjects import (
    LAB_MAP,
    LOCATION_MAP,
    PROBE_MODEL_MAP,
    PROJECT_MAP,
    REPOSITORY_MAP,
    SESSION_KEY_MAP,
    SUBJECT_MAP,
    TERM_MAP,
    USER_MAP,
    WATER_MAP,
    Fields,
    clock,
    is_of_visible_subject,
    is_visible_session,
    probe_model,
    to_many,
    to_one,
    water,
)

_action, _insertion = ActionRow.__table__.c, InsertionRow.__table__.c
_trajectory, _channel = TrajectoryRow.__table__.c, ChannelRow.__table__.c
_user, _procedure = ActionUserRow.__table__.c, ActionProcedureRow.__table__.c
_membership = SessionProjectRow.__table__.c
_dataset, _copy, _tag, _type = table(DATASETS), table(COPIES), table(DATASET_TAGS), table(DATASET_TYPES)
_revision = _dataset.alias("revised")
_named_subject = SUBJECT_MAP.source.alias("named_subject")


def _is_visible_insertion(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return sa.and_(row.deleted_at.is_(None), is_session_visible(visibility, row.session_id))


def _is_visible_trajectory(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    insertion = sa.orm.aliased(InsertionRow)
    of_insertion = sa.exists().where(
        insertion.id == row.insertion_id,
        insertion.deleted_at.is_(None),
        is_session_visible(visibility, insertion.session_id),
    )
    of_chronic = visible.is_action_visible(visibility, row.chronic_insertion_id)
    is_owned = sa.case(
        (row.insertion_id.is_not(None), of_insertion.correlate_except(insertion)), else_=of_chronic
    )
    return sa.and_(row.deleted_at.is_(None), is_owned)


def _is_visible_channel(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    trajectory = sa.orm.aliased(TrajectoryRow)
    of_trajectory = sa.exists().where(
        trajectory.id == row.trajectory_id, _is_visible_trajectory(visibility, trajectory)
    )
    return sa.and_(row.deleted_at.is_(None), of_trajectory.correlate_except(trajectory))


_TAGS = FieldMap(
    "tags", _tag, {"name": Field(_tag.c.tag, "text")}, primary_key="name", visible=visible_to_all
)
_TYPES = dataset_type_map(_type)
_REVISIONS = FieldMap(
    "revisions",
    _revision,
    {"name": Field(sa.func.nullif(_revision.c.revision, ""), "text")},
    "name",
    visible=visible_to_all,
)
_COPIES = FieldMap("files", _copy, {
    "id": Field(_copy.c.id, "uuid"),
    "relative_path": Field(_copy.c.relative_path, "text"),
    "exists": Field(_copy.c.exists, "bool"),
    "data_repository": to_one(REPOSITORY_MAP, _copy.c.repository_id),
}, visible=lambda visibility, row: is_dataset_visible(visibility, row.dataset_id))  # fmt: skip
_DATASETS = FieldMap("datasets", _dataset, {
    "id": Field(_dataset.c.id, "uuid"),
    "name": Field(_dataset.c.name, "text"),
    "collection": Field(_dataset.c.collection, "text"),
    "hash": Field(_dataset.c.md5, "text"),
    "version": Field(_dataset.c.version, "text"),
    "file_size": Field(_dataset.c.size_bytes, "int"),
    "qc": Field(_dataset.c.qc, "int"),
    "default_dataset": Field(_dataset.c.default_revision, "bool"),
    "created_datetime": Field(_dataset.c.created_at, "datetime"),
    "dataset_type": Relation(lambda: _TYPES, on=_type.c.name == _dataset.c.dataset_type),
    "revision": Relation(
        lambda: _REVISIONS, on=sa.and_(_revision.c.id == _dataset.c.id, _revision.c.revision != "")
    ),
    "tags": Relation(lambda: _TAGS, on=_tag.c.dataset_id == _dataset.c.id),
    "file_records": Relation(
        lambda: _COPIES,
        on=sa.and_(_copy.c.dataset_id == _dataset.c.id, _copy.c.generation == _dataset.c.generation),
    ),
}, visible=lambda visibility, row: is_dataset_row_visible(visibility, row, row.public))  # fmt: skip

_COMMON: Fields = {
    "id": Field(_action.id, "uuid"),
    "narrative": Field(_action.narrative, "text"),
    "start_time": clock(_action.start_time),
    "end_time": clock(_action.end_time),
    "json": JsonField(_action.json),
    "subject": to_one(SUBJECT_MAP, _action.subject_id),
    "lab": to_one(LAB_MAP, _action.lab_id),
    "location": to_one(LOCATION_MAP, _action.location_id),
    "users": to_many(USER_MAP, _user.action_id, _action.id, _user.user_id),
    "procedures": to_many(TERM_MAP, _procedure.action_id, _action.id, _procedure.procedure_id),
}
_NAMED_SUBJECTS = nickname_map(_named_subject)
SESSION_MAP: FieldMap = FieldMap("sessions", ActionRow.__table__, _COMMON | {
    "subject": Relation(
        lambda: SUBJECT_MAP,
        on=SUBJECT_MAP.source.c.id == _action.subject_id,
        key=_action.subject_id,
        shown=Relation(lambda: _NAMED_SUBJECTS, on=_named_subject.c.id == _action.subject_id),
    ),
    "number": Field(_action.number, "int"),
    "type": Field(_action.type, "text"),
    "task_protocol": Field(_action.task_protocol, "text"),
    "n_trials": Field(_action.n_trials, "int"),
    "n_correct_trials": Field(_action.n_correct_trials, "int"),
    "qc": Field(_action.qc, "int"),
    "extended_qc": JsonField(_action.extended_qc),
    "auto_datetime": Field(_action.auto_datetime, "datetime"),
    "parent_session": to_one(SESSION_KEY_MAP, _action.parent_session_id),
    "projects": to_many(PROJECT_MAP, _membership.session_id, _action.id, _membership.project_id),
    "data_dataset_session_related": Relation(lambda: _DATASETS, on=_dataset.c.session_id == _action.id),
    "probe_insertion": Relation(
        lambda: INSERTION_MAP,
        on=sa.and_(_insertion.session_id == _action.id, _insertion.deleted_at.is_(None)),
    ),
    "wateradmin_session_related": Relation(
        lambda: WATER_MAP, on=sa.and_(water.session_id == _action.id, water.deleted_at.is_(None))
    ),
}, visible=is_visible_session)  # fmt: skip
ACTION_MAP = FieldMap("actions", ActionRow.__table__, _COMMON | {
    "outcome_type": Field(_action.outcome_type, "text"),
    "implant_weight": Field(_action.implant_weight, "float"),
    "reference_weight": Field(_action.reference_weight, "float"),
    "water_type": to_one(TERM_MAP, _action.water_type_id),
}, visible=is_of_visible_subject)  # fmt: skip
INSERTION_MAP: FieldMap = FieldMap("insertions", InsertionRow.__table__, {
    "id": Field(_insertion.id, "uuid"),
    "name": Field(_insertion.name, "text"),
    "model": Relation(lambda: PROBE_MODEL_MAP, on=probe_model == _insertion.model),
    "serial": Field(_insertion.serial, "text"),
    "auto_datetime": Field(_insertion.auto_datetime, "datetime"),
    "json": JsonField(_insertion.json),
    "session": to_one(SESSION_MAP, _insertion.session_id),
    "chronic_insertion": Relation(
        lambda: CHRONIC_INSERTION_MAP,
        on=_action.id == _insertion.chronic_insertion_id,
        key=_insertion.chronic_insertion_id,
    ),
    "trajectory_estimate": Relation(lambda: TRAJECTORY_MAP, on=_trajectory.insertion_id == _insertion.id),
    "datasets": Relation(
        lambda: _DATASETS,
        on=sa.and_(
            _dataset.c.session_id == _insertion.session_id,
            sa.func.split_part(_dataset.c.collection, "/", 2) == _insertion.name,
        ),
    ),
}, visible=_is_visible_insertion)  # fmt: skip
CHRONIC_INSERTION_MAP: FieldMap = FieldMap("chronic insertions", ActionRow.__table__, _COMMON | {
    "name": Field(_action.name, "text"),
    "serial": Field(_action.serial, "text"),
    "model": Relation(lambda: PROBE_MODEL_MAP, on=probe_model == _action.model),
    "probe_insertion": Relation(lambda: INSERTION_MAP, on=_insertion.chronic_insertion_id == _action.id),
    "trajectory_estimate": Relation(
        lambda: TRAJECTORY_MAP, on=_trajectory.chronic_insertion_id == _action.id
    ),
}, visible=is_of_visible_subject)  # fmt: skip
TRAJECTORY_MAP: FieldMap = FieldMap("trajectories", TrajectoryRow.__table__, {
    "id": Field(_trajectory.id, "uuid"),
    **{name: Field(_trajectory[name], "float") for name in ("x", "y", "z", "depth", "theta", "phi", "roll")},
    "provenance": Field(_trajectory.provenance, "int"),
    "datetime": Field(_trajectory.auto_datetime, "datetime"),
    "json": JsonField(_trajectory.json),
    "coordinate_system": to_one(TERM_MAP, _trajectory.coordinate_system_id),
    "probe_insertion": to_one(INSERTION_MAP, _trajectory.insertion_id),
    "chronic_insertion": to_one(CHRONIC_INSERTION_MAP, _trajectory.chronic_insertion_id),
    "channels": Relation(lambda: CHANNEL_MAP, on=_channel.trajectory_id == _trajectory.id),
}, visible=_is_visible_trajectory)  # fmt: skip
CHANNEL_MAP: FieldMap = FieldMap("channels", ChannelRow.__table__, {
    "id": Field(_channel.id, "uuid"),
    "name": Field(_channel.name, "text"),
    **{name: Field(_channel[name], "float") for name in ("axial", "lateral", "x", "y", "z")},
    "json": JsonField(_channel.json),
    "brain_region": to_one(BRAIN_REGION_MAP, _channel.brain_region_id),
    "trajectory_estimate": to_one(TRAJECTORY_MAP, _channel.trajectory_id),
}, visible=_is_visible_channel)  # fmt: skip

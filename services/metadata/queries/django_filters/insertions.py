"""Fields of the free filters on insertions, trajectories and channels."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Relation
from libs.common.filters.dataset_folders import is_dataset_of_insertion
from libs.common.schemas.states import ActionKind
from libs.common.visibility import Visibility
from libs.common.visible import is_session_visible
from services.metadata.models import ActionRow, ChannelRow, InsertionRow, TrajectoryRow
from services.metadata.queries import visible
from services.metadata.queries.django_filters.brain_regions import BRAIN_REGION_MAP
from services.metadata.queries.django_filters.datasets import DATASET_MAP, dataset
from services.metadata.queries.django_filters.maps import declared, to_one
from services.metadata.queries.django_filters.notes import notes_of
from services.metadata.queries.django_filters.sessions import SESSION_MAP, fields_of_action, is_visible_action
from services.metadata.queries.django_filters.subjects import PROBE_MODEL_MAP, TERM_MAP, probe_model

_action, _insertion = ActionRow.__table__.c, InsertionRow.__table__.c
_trajectory, _channel = TrajectoryRow.__table__.c, ChannelRow.__table__.c


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


INSERTION_MAP: FieldMap = declared(FieldMap("insertions", InsertionRow.__table__, {
    "id": Field(_insertion.id, "uuid"),
    "name": Field(_insertion.name, "text"),
    "model": Relation(lambda: PROBE_MODEL_MAP, on=probe_model == _insertion.model),
    "serial": Field(_insertion.serial, "text"),
    "auto_datetime": Field(_insertion.auto_datetime, "datetime"),
    "json": JsonField(_insertion.json),
    "session": to_one(SESSION_MAP, _insertion.session_id),
    "notes": notes_of("probeinsertion", _insertion.id),
    "chronic_insertion": Relation(
        lambda: CHRONIC_INSERTION_MAP,
        on=_action.id == _insertion.chronic_insertion_id,
        key=_insertion.chronic_insertion_id,
    ),
    "trajectory_estimate": Relation(lambda: TRAJECTORY_MAP, on=_trajectory.insertion_id == _insertion.id),
    "datasets": Relation(lambda: DATASET_MAP, on=is_dataset_of_insertion(dataset.c, _insertion)),
}, visible=_is_visible_insertion))  # fmt: skip
CHRONIC_INSERTION_MAP: FieldMap = declared(FieldMap("chronic insertions", ActionRow.__table__, {
    **fields_of_action(_action),
    "name": Field(_action.name, "text"),
    "notes": notes_of("chronicinsertion", _action.id),
    "serial": Field(_action.serial, "text"),
    "model": Relation(lambda: PROBE_MODEL_MAP, on=probe_model == _action.model),
    "probe_insertion": Relation(lambda: INSERTION_MAP, on=_insertion.chronic_insertion_id == _action.id),
    "trajectory_estimate": Relation(
        lambda: TRAJECTORY_MAP, on=_trajectory.chronic_insertion_id == _action.id
    ),
}, visible=is_visible_action(ActionKind.CHRONIC_INSERTION)))  # fmt: skip
TRAJECTORY_MAP: FieldMap = FieldMap("trajectories", TrajectoryRow.__table__, {
    "id": Field(_trajectory.id, "uuid"),
    **{name: Field(_trajectory[name], "float") for name in ("x", "y", "z", "depth", "theta", "phi", "roll")},
    "provenance": Field(_trajectory.provenance, "int"),
    "datetime": Field(_trajectory.auto_datetime, "datetime"),
    "json": JsonField(_trajectory.json),
    "coordinate_system": to_one(TERM_MAP, _trajectory.coordinate_system_id),
    "notes": notes_of("trajectoryestimate", _trajectory.id),
    "probe_insertion": to_one(INSERTION_MAP, _trajectory.insertion_id),
    "chronic_insertion": to_one(CHRONIC_INSERTION_MAP, _trajectory.chronic_insertion_id),
    "channels": Relation(lambda: CHANNEL_MAP, on=_channel.trajectory_id == _trajectory.id),
}, visible=_is_visible_trajectory)  # fmt: skip
CHANNEL_MAP: FieldMap = declared(FieldMap("channels", ChannelRow.__table__, {
    "id": Field(_channel.id, "uuid"),
    "name": Field(_channel.name, "text"),
    **{name: Field(_channel[name], "float") for name in ("axial", "lateral", "x", "y", "z")},
    "json": JsonField(_channel.json),
    "brain_region": to_one(BRAIN_REGION_MAP, _channel.brain_region_id),
    "trajectory_estimate": to_one(TRAJECTORY_MAP, _channel.trajectory_id),
}, visible=_is_visible_channel))  # fmt: skip

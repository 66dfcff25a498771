"""Filters of the list of trajectories."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters import parse_filter, to_sql
from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, WhereVisible, is_named, parameter
from libs.common.filters.parameters import (
    Choices,
    CommaList,
    Day,
    Number,
    Parsed,
    Text,
    UuidText,
    WholeNumber,
)
from libs.common.schemas.trajectories import known_provenance
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, InsertionRow, TrajectoryRow, VocabularyRow
from services.metadata.queries import visible
from services.metadata.queries.django_filters.insertions import TRAJECTORY_MAP
from services.metadata.queries.list_filters.sessions import is_in_projects
from services.metadata.queries.list_filters.subject_names import SUBJECT, is_of_subject
from services.metadata.queries.references import Vocabulary

Provenance = Annotated[int, Parsed(known_provenance)]


def _is_of_chronic_insertion(visibility: Visibility, chronic_insertion_id: UUID) -> Condition:
    return sa.and_(
        TrajectoryRow.chronic_insertion_id == chronic_insertion_id,
        visible.is_action_visible(visibility, TrajectoryRow.chronic_insertion_id),
    )


def _is_in_coordinate_system(text: str) -> Condition:
    """The name of the coordinate system, or its id."""
    named = is_named(VocabularyRow.name, VocabularyRow.id, text)
    return TrajectoryRow.coordinate_system_id.in_(
        sa.select(VocabularyRow.id).where(VocabularyRow.kind == Vocabulary.COORDINATE_SYSTEM, named)
    )


def _is_changed_at(visibility: Visibility, text: str) -> Condition:
    return to_sql(parse_filter(f"datetime,{text}", TRAJECTORY_MAP), visibility)


class TrajectoryFilters(ListFilters):
    """Filters of the list of trajectories."""

    chronic_insertion: Annotated[UuidText, WhereVisible(_is_of_chronic_insertion)] = parameter(
        "Id of the chronic insertion."
    )
    coordinate_system: Annotated[Text, Where(_is_in_coordinate_system)] = parameter(
        "Name or id of the coordinate system."
    )
    date: Annotated[Day, Where(lambda day: ActionRow.day == day)] = parameter("Day of the session.")
    datetime: Annotated[Text, WhereVisible(_is_changed_at)] = parameter(
        "Time of the last change, as in the response."
    )
    depth: Annotated[Number, Where(lambda value: TrajectoryRow.depth == value)] = parameter("Depth.")
    django: Annotated[Text, FreeFilter(TRAJECTORY_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    experiment_number: Annotated[WholeNumber, Where(lambda number: ActionRow.number == number)] = parameter(
        "Number of the session within its day."
    )
    id: Annotated[UuidText, Where(lambda trajectory_id: TrajectoryRow.id == trajectory_id)] = parameter("Id.")
    phi: Annotated[Number, Where(lambda value: TrajectoryRow.phi == value)] = parameter("Angle phi.")
    probe: Annotated[Text, Where(lambda name: InsertionRow.name == name)] = parameter("Name of the probe.")
    probe_insertion: Annotated[
        UuidText, Where(lambda insertion_id: TrajectoryRow.insertion_id == insertion_id)
    ] = parameter("Id of the probe insertion.")
    project: Annotated[CommaList, WhereVisible(is_in_projects)] = parameter(
        "Parts of names of projects, all of which must match."
    )
    provenance: Annotated[Provenance, Where(lambda code: TrajectoryRow.provenance == code)] = parameter(
        "Provenance, by name or number."
    )
    roll: Annotated[Number, Where(lambda value: TrajectoryRow.roll == value)] = parameter("Angle roll.")
    session: Annotated[UuidText, Where(lambda session_id: InsertionRow.session_id == session_id)] = parameter(
        "Id of the session."
    )
    subject: Annotated[Choices, Where(is_of_subject)] = parameter(SUBJECT)
    theta: Annotated[Number, Where(lambda value: TrajectoryRow.theta == value)] = parameter("Angle theta.")
    x: Annotated[Number, Where(lambda value: TrajectoryRow.x == value)] = parameter("Coordinate x.")
    y: Annotated[Number, Where(lambda value: TrajectoryRow.y == value)] = parameter("Coordinate y.")
    z: Annotated[Number, Where(lambda value: TrajectoryRow.z == value)] = parameter("Coordinate z.")

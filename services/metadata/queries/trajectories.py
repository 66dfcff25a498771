"""Trajectories: as visible as the session of their insertion, or as the subject of their chronic insertion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.problem import NotFound
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.times import naive_utc
from libs.common.schemas.trajectories import PROVENANCE_NAMES, Trajectory
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionRow,
    InsertionRow,
    LabRow,
    SubjectRow,
    TrajectoryRow,
    VocabularyRow,
)
from services.metadata.queries import visible
from services.metadata.queries.list_filters.trajectories import TrajectoryFilters
from services.metadata.queries.subselects import project_names

_OF_SESSION = ("subject", "start_time", "number", "lab", "projects", "task_protocol")
_Chronic = sa.orm.aliased(ActionRow, name="chronic")


def join_sessions(statement: sa.Select[Any], visibility: Visibility) -> sa.Select[Any]:
    """A statement on trajectories, those that the caller can see, joined to their insertions and sessions.

    A trajectory of a chronic insertion alone has no insertion, session, subject and lab in the joined tables.
    """
    of_session = sa.and_(
        InsertionRow.deleted_at.is_(None),
        SubjectRow.deleted_at.is_(None),
        visible.is_session_visible(visibility),
    )
    return (
        statement.join(InsertionRow, InsertionRow.id == TrajectoryRow.insertion_id, isouter=True)
        .join(ActionRow, ActionRow.id == InsertionRow.session_id, isouter=True)
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id, isouter=True)
        .join(LabRow, LabRow.id == ActionRow.lab_id, isouter=True)
        .where(TrajectoryRow.deleted_at.is_(None))
        .where(
            sa.case(
                (TrajectoryRow.insertion_id.is_not(None), of_session),
                else_=visible.is_action_visible(visibility, TrajectoryRow.chronic_insertion_id),
            )
        )
    )


def _select_trajectories(visibility: Visibility, *conditions: Condition) -> sa.Select[Any]:
    stored = ("id", "x", "y", "z", "depth", "theta", "phi", "roll", "provenance", "json", "auto_datetime")
    columns: list[Any] = [
        *(TrajectoryRow.__table__.c[name] for name in stored),
        TrajectoryRow.insertion_id.label("probe_insertion"),
        visible.action_id(visibility, TrajectoryRow.chronic_insertion_id).label("chronic_insertion"),
        sa.func.coalesce(InsertionRow.name, _Chronic.name).label("probe_name"),
        VocabularyRow.name.label("coordinate_system"),
        ActionRow.id.label("session_id"),
        ActionRow.start_time,
        ActionRow.number,
        ActionRow.task_protocol,
        SubjectRow.nickname.label("subject"),
        LabRow.name.label("lab"),
        project_names(visibility).label("projects"),
    ]
    return (
        join_sessions(sa.select(*columns).select_from(TrajectoryRow), visibility)
        .join(_Chronic, _Chronic.id == TrajectoryRow.chronic_insertion_id, isouter=True)
        .join(VocabularyRow, VocabularyRow.id == TrajectoryRow.coordinate_system_id, isouter=True)
        .where(*conditions)
        .order_by(
            ActionRow.start_at.desc().nulls_last(),
            InsertionRow.name,
            TrajectoryRow.provenance.desc(),
            TrajectoryRow.id,
        )
    )


def _trajectory(row: Mapping[str, Any], base_url: str) -> Trajectory:
    session_id = row["session_id"]
    session = {name: row[name] for name in _OF_SESSION} | {
        "id": session_id,
        "url": f"{base_url}/sessions/{session_id}",
    }
    return Trajectory.model_validate(
        {
            **row,
            "provenance": PROVENANCE_NAMES[row["provenance"]],
            "session": session if session_id else None,
            "datetime": naive_utc(row["auto_datetime"]),
        }
    )


async def list_trajectories(
    session: ReadSession,
    visibility: Visibility,
    filters: TrajectoryFilters,
    paging: PageRequest,
    base_url: str,
) -> tuple[int, list[Trajectory]]:
    """A page of trajectories, latest session first, then by probe; and the count of all."""
    statement = _select_trajectories(visibility, *filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [_trajectory(row, base_url) for row in rows]


async def fetch_trajectory(
    session: ReadSession, visibility: Visibility, trajectory_id: UUID, base_url: str
) -> Trajectory:
    """One trajectory. Raises NotFound."""
    rows = await session.execute(_select_trajectories(visibility, TrajectoryRow.id == trajectory_id))
    row = rows.mappings().first()
    if row is None:
        raise NotFound(f"There is no trajectory {trajectory_id}.")
    return _trajectory(row, base_url)


async def lock_trajectory(
    session: WriteSession, visibility: Visibility, trajectory_id: UUID
) -> TrajectoryRow:
    """A trajectory that the caller can see, locked. Raises NotFound."""
    statement = join_sessions(sa.select(TrajectoryRow), visibility).where(TrajectoryRow.id == trajectory_id)
    rows = await session.scalars(statement.with_for_update(of=TrajectoryRow))
    row: TrajectoryRow | None = rows.one_or_none()
    if row is None:
        raise NotFound(f"There is no trajectory {trajectory_id}.")
    return row


async def exists_trajectory(
    session: ReadSession,
    insertion_id: UUID | None,
    chronic_insertion_id: UUID | None,
    provenance: int,
    *,
    other_than: UUID,
) -> bool:
    """Whether an insertion, or else a chronic insertion, has another trajectory of that provenance."""
    owner = (
        TrajectoryRow.insertion_id == insertion_id
        if insertion_id
        else sa.and_(
            TrajectoryRow.insertion_id.is_(None), TrajectoryRow.chronic_insertion_id == chronic_insertion_id
        )
    )
    trajectory = sa.exists().where(
        owner,
        TrajectoryRow.provenance == provenance,
        TrajectoryRow.id != other_than,
        TrajectoryRow.deleted_at.is_(None),
    )
    return bool(await session.scalar(sa.select(trajectory)))


async def fetch_subjects_of_owners(
    session: ReadSession, insertion_id: UUID, chronic_insertion_id: UUID
) -> tuple[UUID, UUID]:
    """The subject of the session of an insertion, and that of a chronic insertion; both exist."""
    of_session = sa.select(ActionRow.subject_id).join(InsertionRow, InsertionRow.session_id == ActionRow.id)
    of_chronic = sa.select(ActionRow.subject_id).where(ActionRow.id == chronic_insertion_id)
    first = await session.scalars(of_session.where(InsertionRow.id == insertion_id))
    return first.one(), (await session.scalars(of_chronic)).one()

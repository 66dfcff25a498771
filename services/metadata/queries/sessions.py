"""Sessions, surgeries, restrictions, insertions."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.published import DATASETS, table
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionProcedureRow,
    ActionRow,
    ActionUserRow,
    InsertionRow,
    LabRow,
    LocationRow,
    ProjectRow,
    SessionProjectRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
    WaterAdministrationRow,
)
from services.metadata.queries import visible
from services.metadata.queries.house import names_of
from services.metadata.queries.subjects import WaterType


def ids_of(statement: sa.Select[Any]) -> Any:
    """A sub-select as an array."""
    return sa.func.array(statement.scalar_subquery(), type_=ARRAY(UUID(as_uuid=True)))


def _projects(seen: Visibility) -> Any:
    return names_of(
        ProjectRow.name,
        SessionProjectRow.session_id == ActionRow.id,
        SessionProjectRow.project_id == ProjectRow.id,
        visible.projects(seen),
    ).label("projects")


def _users() -> Any:
    return names_of(
        UserRow.username, ActionUserRow.action_id == ActionRow.id, ActionUserRow.user_id == UserRow.id
    ).label("users")


def _procedures() -> Any:
    return names_of(
        VocabularyRow.name,
        ActionProcedureRow.action_id == ActionRow.id,
        ActionProcedureRow.procedure_id == VocabularyRow.id,
    ).label("procedures")


def sessions(seen: Visibility) -> sa.Select[Any]:
    """Sessions as in a list, newest first."""
    columns: list[Any] = [
        ActionRow.id,
        SubjectRow.nickname.label("subject"),
        ActionRow.start_time,
        ActionRow.number,
        LabRow.name.label("lab"),
        _projects(seen),
        ActionRow.task_protocol,
    ]
    return (
        sa.select(*columns)
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .join(LabRow, LabRow.id == ActionRow.lab_id, isouter=True)
        .join(LocationRow, LocationRow.id == ActionRow.location_id, isouter=True)
        .where(ActionRow.kind == "session", SubjectRow.deleted_at.is_(None), visible.sessions(seen))
        .order_by(ActionRow.start_at.desc(), ActionRow.id)
    )


def session_details(seen: Visibility) -> sa.Select[Any]:
    """The same with all columns and the people and procedures."""
    listed = {"id", "start_time", "number", "task_protocol", "parent_session_id"}
    return sessions(seen).add_columns(
        *(c for c in ActionRow.__table__.columns if c.name not in listed),
        visible.session_id(seen, ActionRow.parent_session_id).label("parent_session_id"),
        LocationRow.name.label("location"),
        _users(),
        _procedures(),
    )


async def water_of_session(
    session: AsyncSession, seen: Visibility, session_id: uuid.UUID
) -> list[dict[str, Any]]:
    """Water given in a session to animals the caller may know of."""
    found = await session.execute(
        sa.select(
            WaterAdministrationRow.id,
            WaterType.name.label("water_type"),
            WaterAdministrationRow.water_administered,
        )
        .join(WaterType, WaterType.id == WaterAdministrationRow.water_type_id, isouter=True)
        .join(SubjectRow, SubjectRow.id == WaterAdministrationRow.subject_id)
        .where(WaterAdministrationRow.session_id == session_id, WaterAdministrationRow.deleted_at.is_(None))
        .where(visible.subjects(seen))
        .order_by(WaterAdministrationRow.date_time_at, WaterAdministrationRow.id)
    )
    return [{**row, "name": ""} for row in found.mappings()]


async def datasets_on_servers(
    session: AsyncSession, seen: Visibility, session_id: uuid.UUID
) -> list[dict[str, Any]]:
    """The datasets of a session that a server holds, by path; for public readers the public ones."""
    theirs = table(DATASETS)
    found = await session.execute(
        sa.select(theirs)
        .where(theirs.c.session_id == session_id, theirs.c.data_url.is_not(None))
        .where(theirs.c.public if seen.public_only else sa.true())
        .order_by(theirs.c.collection, theirs.c.name, theirs.c.revision)
    )
    return [dict(row) for row in found.mappings()]


def of_probe(datasets: Any) -> sa.ColumnElement[bool]:
    """A dataset is of an insertion if the second folder of its collection is the probe's name."""
    return sa.and_(
        datasets.c.session_id == InsertionRow.session_id,
        sa.func.split_part(datasets.c.collection, "/", 2) == InsertionRow.name,
    )


def _datasets_of_probe(seen: Visibility) -> Any:
    theirs = table(DATASETS)
    shown = theirs.c.public if seen.public_only else sa.true()
    return ids_of(sa.select(theirs.c.id).where(of_probe(theirs), shown).order_by(theirs.c.id))


def insertions(seen: Visibility) -> sa.Select[Any]:
    """Insertions of visible sessions, latest session first, then by name."""
    columns: list[Any] = [
        InsertionRow.id,
        InsertionRow.session_id.label("session"),
        InsertionRow.model,
        InsertionRow.name,
        InsertionRow.json,
        InsertionRow.serial,
        InsertionRow.auto_datetime,
        ActionRow.start_time,
        ActionRow.number,
        ActionRow.task_protocol,
        SubjectRow.nickname.label("subject"),
        ActionRow.day,
        LabRow.name.label("lab"),
        _projects(seen),
        _datasets_of_probe(seen).label("datasets"),
    ]
    return (
        sa.select(*columns)
        .join(ActionRow, ActionRow.id == InsertionRow.session_id)
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .join(LabRow, LabRow.id == ActionRow.lab_id, isouter=True)
        .where(InsertionRow.deleted_at.is_(None), SubjectRow.deleted_at.is_(None), visible.sessions(seen))
        .order_by(ActionRow.start_at.desc(), InsertionRow.name, InsertionRow.id)
    )


def actions(seen: Visibility, kind: str) -> sa.Select[Any]:
    """Surgeries or restrictions; open ones first, then newest first."""
    keys = [
        ids_of(sa.select(link).where(owner == ActionRow.id).order_by(link)).label(name)
        for name, link, owner in (
            ("user_ids", ActionUserRow.user_id, ActionUserRow.action_id),
            ("procedure_ids", ActionProcedureRow.procedure_id, ActionProcedureRow.action_id),
        )
    ]
    return (
        sa.select(
            *ActionRow.__table__.columns,
            SubjectRow.nickname.label("subject"),
            WaterType.name.label("water_type"),
            *keys,
        )
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .join(LabRow, LabRow.id == ActionRow.lab_id, isouter=True)
        .join(WaterType, WaterType.id == ActionRow.water_type_id, isouter=True)
        .where(ActionRow.kind == kind, visible.subjects(seen), ActionRow.deleted_at.is_(None))
        .order_by(ActionRow.end_at.desc().nulls_first(), ActionRow.start_at.desc(), ActionRow.id)
    )

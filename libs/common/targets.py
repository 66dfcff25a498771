"""What an object belongs to, read from published views, as `may_on` needs it in every service.

An object that does not exist belongs to no lab; whether the caller may see it is checked before (`visible.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from libs.common.db.json_pages import request_value
from libs.common.db.prepared import fetch_rows
from libs.common.db.sessions import ReadSession
from libs.common.permissions import Reach, Target
from libs.common.published import (
    INSERTIONS,
    SESSION_AUDIENCE,
    SESSIONS,
    SUBJECT_AUDIENCE,
    SUBJECTS,
    View,
    alias,
    table,
)
from libs.common.schemas.states import ContentType


async def fetch_session_targets(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, Target]:
    """The targets of existing sessions, by id."""
    rows = await fetch_rows(session, _select_session_targets(), session_ids=list(ids))
    return {row["id"]: session_target(row) for row in rows}


@cache
def _select_session_targets() -> sa.Select[Any]:
    sessions, subjects = table(SESSIONS), table(SUBJECTS)
    return (
        sa.select(sessions.c.id, *session_target_columns())
        .join(subjects, subjects.c.id == sessions.c.subject_id)
        .where(sessions.c.id == sa.any_(request_value("session_ids", ARRAY(sa.Uuid()))))
    )


def session_target_columns() -> tuple[sa.ColumnElement[Any], ...]:
    """What the target of a session consists of, in a statement that joins `table(SESSIONS)` and `table(SUBJECTS)`."""
    sessions, subjects, link = table(SESSIONS), table(SUBJECTS), table(SESSION_AUDIENCE)
    projects = sa.select(link.c.project_id).where(link.c.session_id == sessions.c.id).correlate(sessions)
    return (
        sa.func.coalesce(sessions.c.lab_id, subjects.c.lab_id).label("lab_id"),
        sessions.c.responsible_user_id,
        subjects.c.lab_id.label("animal_lab_id"),
        sa.func.array(projects.scalar_subquery(), type_=ARRAY(sa.UUID)).label("project_ids"),
    )


def session_target(row: Mapping[str, Any]) -> Target:
    """The target of a session, from a row with `session_target_columns`."""
    return Target(
        row["lab_id"],
        frozenset(row["project_ids"]),
        row["responsible_user_id"],
        animal_lab_id=row["animal_lab_id"],
    )


async def fetch_session_target(session: ReadSession, session_id: UUID | None) -> Target:
    """The target of one session."""
    return (
        Target()
        if session_id is None
        else await fetch_object_target(session, ContentType.SESSION, session_id)
    )


async def fetch_object_target(
    session: ReadSession, content_type: str | None, object_id: UUID | None
) -> Target:
    """The target of what an aggregate dataset belongs to; `content_type` such as "subject"."""
    if object_id is None:
        return Target()
    match content_type:
        case ContentType.SESSION:
            return (await fetch_session_targets(session, [object_id])).get(object_id, Target())
        case ContentType.SUBJECT:
            return await _subject(session, object_id)
        case ContentType.PROBEINSERTION:
            insertion = table(INSERTIONS)
            of = sa.select(insertion.c.session_id).where(insertion.c.id == object_id)
            return await fetch_session_target(session, await session.scalar(of))
        case ContentType.LABMEMBER:
            return Target(responsible_user_id=object_id)
    in_project = frozenset({object_id}) if content_type == ContentType.PROJECT else frozenset()
    return Target(object_id if content_type == ContentType.LAB else None, in_project)


async def fetch_dataset_target(
    session: ReadSession, session_id: UUID | None, content_type: str | None, object_id: UUID | None
) -> Target:
    """The target of a dataset: that of its session, or of its object if it has none."""
    if session_id is not None:
        return await fetch_session_target(session, session_id)
    return await fetch_object_target(session, content_type, object_id)


def is_session_in_reach(reach: Reach | None, session_id: Any) -> sa.ColumnElement[bool]:
    """Sessions within the reach of a token, as a condition; `session_id` is a column of the statement around it."""
    if reach is None:
        return sa.true()
    session, subject = alias(SESSIONS, "in reach"), alias(SUBJECTS, "of the session in reach")
    link = alias(SESSION_AUDIENCE, "in reach")
    of_lab = sa.exists().where(
        session.c.id == session_id,
        subject.c.id == session.c.subject_id,
        sa.func.coalesce(session.c.lab_id, subject.c.lab_id).in_(reach.labs),
    )
    of_project = sa.exists().where(link.c.session_id == session_id, link.c.project_id.in_(reach.projects))
    return sa.or_(of_lab.correlate_except(session, subject), of_project.correlate_except(link))


def is_subject_in_reach(reach: Reach | None, subject_id: Any) -> sa.ColumnElement[bool]:
    """The same for subjects."""
    if reach is None:
        return sa.true()
    subject, link = alias(SUBJECTS, "in reach"), alias(SUBJECT_AUDIENCE, "in reach")
    of_lab = sa.exists().where(subject.c.id == subject_id, subject.c.lab_id.in_(reach.labs))
    of_project = sa.exists().where(link.c.subject_id == subject_id, link.c.project_id.in_(reach.projects))
    return sa.or_(of_lab.correlate_except(subject), of_project.correlate_except(link))


def is_object_in_reach(reach: Reach | None, content_type: Any, object_id: Any) -> sa.ColumnElement[bool]:
    """The same for the objects of aggregate datasets, whose target `fetch_object_target` reads."""
    if reach is None:
        return sa.true()
    insertion = alias(INSERTIONS, "in reach")
    of_insertion = sa.exists().where(
        insertion.c.id == object_id, is_session_in_reach(reach, insertion.c.session_id)
    )
    rules = {
        ContentType.SESSION: is_session_in_reach(reach, object_id),
        ContentType.SUBJECT: is_subject_in_reach(reach, object_id),
        ContentType.PROBEINSERTION: of_insertion.correlate_except(insertion),
        ContentType.PROJECT: object_id.in_(reach.projects),
        ContentType.LAB: object_id.in_(reach.labs),
    }
    return sa.or_(*(sa.and_(content_type == name, rule) for name, rule in rules.items()))


async def _subject(session: ReadSession, subject_id: UUID) -> Target:
    subject = table(SUBJECTS)
    row = (await session.execute(sa.select(subject).where(subject.c.id == subject_id))).one_or_none()
    if row is None:
        return Target()
    projects = await _projects(session, SUBJECT_AUDIENCE, "subject_id", [subject_id])
    return Target(row.lab_id, projects.get(subject_id, frozenset()), row.responsible_user_id)


async def _projects(
    session: ReadSession, view: View, owner: str, ids: Collection[UUID]
) -> dict[UUID, frozenset[UUID]]:
    link = table(view)
    by_owner: dict[UUID, set[UUID]] = {}
    rows = await session.execute(
        sa.select(link.c[owner], link.c.project_id).where(link.c[owner] == _any(ids))
    )
    for key, project_id in rows:
        by_owner.setdefault(key, set()).add(project_id)
    return {key: frozenset(projects) for key, projects in by_owner.items()}


def _any(ids: Collection[UUID]) -> Any:
    return sa.any_(sa.literal(list(ids), ARRAY(sa.UUID)))

"""What metadata publishes of a session, its subject, people and lab, as an NWB file tells it."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from cingulum.nwb.facts import Facts
from cingulum.nwb.records import facts_of_records
from libs.common.db import ReadSession
from libs.common.published import LABS, SESSION_USERS, SESSIONS, SUBJECTS, TERMS, USERNAMES, table
from libs.common.visibility import Visibility
from libs.common.visible import is_subject_row_visible
from services.registry.queries import visible


async def find_facts(session: ReadSession, visibility: Visibility, session_id: UUID) -> Facts | None:
    """The facts of a session; None if the caller cannot see it."""
    sessions, subjects, labs, species = table(SESSIONS), table(SUBJECTS), table(LABS), table(TERMS)
    is_of_session = sa.and_(
        subjects.c.id == sessions.c.subject_id,
        is_subject_row_visible(visibility, subjects.c.id, subjects.c.lab_id),
    )
    rows = await session.execute(
        sa.select(
            sessions.c.id,
            sessions.c.subject,
            sessions.c.lab,
            sessions.c.start_time,
            sessions.c.start_at,
            sessions.c.number,
            _users().label("users"),
            subjects.c.sex,
            subjects.c.birth_date,
            species.c.name.label("species"),
            labs.c.institution,
            labs.c.timezone,
        )
        .select_from(sessions)
        .join(subjects, is_of_session, isouter=True)
        .join(species, species.c.id == subjects.c.species_id, isouter=True)
        .join(labs, labs.c.id == sessions.c.lab_id, isouter=True)
        .where(sessions.c.id == session_id, visible.is_session_visible(visibility))
    )
    row = rows.mappings().one_or_none()
    return None if row is None else _facts(dict(row))


def _facts(row: dict[str, Any]) -> Facts:
    # The text lost its offset if it was sent with one; the instant is exact.
    if row["start_at"] is not None and row["timezone"]:
        row["start_time"] = row["start_at"].astimezone(ZoneInfo(row["timezone"])).isoformat()
    return facts_of_records(row, row, row)


def _users() -> sa.ColumnElement[Any]:
    sessions, links, names = table(SESSIONS), table(SESSION_USERS), table(USERNAMES)
    usernames = (
        sa.select(names.c.username)
        .join(links, links.c.user_id == names.c.id)
        .where(links.c.session_id == sessions.c.id)
        .order_by(names.c.username)
        .correlate(sessions)
    )
    return sa.func.array(usernames.scalar_subquery(), type_=sa.ARRAY(sa.Text))

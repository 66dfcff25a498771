"""What decides who may change an animal or an action: the value that `may_on` asks for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.permissions import Target
from services.metadata.models import ActionRow, SessionProjectRow, SubjectProjectRow, SubjectRow


async def of_subject(session: AsyncSession, row: SubjectRow) -> Target:
    """An animal, and what hangs on it."""
    projects = await _projects(session, SubjectProjectRow.project_id, SubjectProjectRow.subject_id == row.id)
    return Target(row.lab_id, projects, row.responsible_user_id)


async def of_action(session: AsyncSession, row: ActionRow, subject: SubjectRow) -> Target:
    """A session, surgery or restriction: it is of the lab where it happens, and only sessions have projects."""
    if row.kind == "session":
        projects = await _projects(
            session, SessionProjectRow.project_id, SessionProjectRow.session_id == row.id
        )
    else:
        projects = (await of_subject(session, subject)).project_ids
    lab_id = row.lab_id or subject.lab_id
    return Target(lab_id, projects, subject.responsible_user_id, animal_lab_id=subject.lab_id)


async def _projects(session: AsyncSession, project_id: Any, mine: sa.ColumnElement[bool]) -> frozenset[UUID]:
    return frozenset((await session.scalars(sa.select(project_id).where(mine))).all())

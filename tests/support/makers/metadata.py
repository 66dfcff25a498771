"""Labs, users, projects, subjects and sessions."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import sqlalchemy as sa

from services.metadata.models.actions import ActionProcedureRow, ActionRow
from services.metadata.models.labs import LabRow
from services.metadata.models.projects import ProjectRow
from services.metadata.models.sessions import SessionProjectRow
from services.metadata.models.subjects import SubjectRow
from services.metadata.models.users import UserRow
from services.metadata.models.vocabularies import VocabularyRow
from tests.support.makers.database import named, owner
from tests.support.system import Cingulum

DAY = datetime(2020, 8, 21, tzinfo=UTC)


async def make_user(system: Cingulum, username: str = "") -> UUID:
    """A user."""
    user_id = uuid4()
    async with owner(system) as session:
        session.add(UserRow(id=user_id, username=username or f"user-{user_id.hex[:6]}"))
    return user_id


async def add_procedure(system: Cingulum, action_id: UUID, name: str) -> None:
    """A procedure was part of an action."""
    is_meant = sa.and_(VocabularyRow.kind == "procedure", VocabularyRow.name == name)
    async with owner(system) as session:
        [procedure_id] = await session.scalars(sa.select(VocabularyRow.id).where(is_meant))
        session.add(ActionProcedureRow(action_id=action_id, procedure_id=procedure_id))


async def make_subject(system: Cingulum, lab_id: UUID, nickname: str = "") -> UUID:
    """A subject of a lab, which is made if there is none."""
    subject_id = uuid4()
    async with owner(system) as session:
        if await session.get(LabRow, lab_id) is None:
            session.add(LabRow(id=lab_id, name="hilllab"))
            await session.flush()
        session.add(SubjectRow(id=subject_id, nickname=nickname or f"m{subject_id.hex[:6]}", lab_id=lab_id))
    return subject_id


async def make_session(
    system: Cingulum, lab_id: UUID, *, subject_id: UUID | None = None, number: int = 1
) -> UUID:
    """A session of a subject, by default of a new one."""
    subject_id = subject_id or await make_subject(system, lab_id)
    session_id = uuid4()
    async with owner(system) as session:
        session.add(
            ActionRow(
                id=session_id,
                kind="session",
                subject_id=subject_id,
                lab_id=lab_id,
                start_time=f"{DAY:%Y-%m-%dT%H:%M:%S}",
                start_at=DAY,
                day=DAY.date(),
                number=number,
            )
        )
    return session_id


async def make_project(
    system: Cingulum, name: str, *session_ids: UUID, project_id: UUID | None = None, is_private: bool = False
) -> UUID:
    """The project of that name, with these sessions in it."""
    async with owner(system) as session:
        project_id = await named(session, ProjectRow, name, id=project_id or uuid4(), is_private=is_private)
        session.add_all(
            SessionProjectRow(session_id=session_id, project_id=project_id) for session_id in session_ids
        )
    return project_id

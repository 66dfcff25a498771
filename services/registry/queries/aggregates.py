"""Objects that files without a session belong to: subjects, projects, labs, tags and insertions."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession
from libs.common.problem import BadRequest, UnknownReference
from libs.common.published import INSERTIONS, LABS, PROJECTS, SESSIONS, SUBJECTS, TAGS, table
from libs.common.schemas.states import ContentType
from libs.common.visibility import Visibility
from libs.common.visible import is_object_visible
from services.registry.domain.requests import AGGREGATE_TYPES, folders_of_object
from services.registry.queries.registration import RegistrationScope


async def fetch_aggregate_scope(
    session: ReadSession, visibility: Visibility, content_type: str, object_id: UUID
) -> RegistrationScope:
    """An object other than a session. Raises BadRequest for an unknown type or object.

    An object that the caller may not know of is unknown.
    """
    model = ContentType.name_in(content_type)
    if model not in AGGREGATE_TYPES:
        raise BadRequest(fields={"content_type": [f"'{model}' is none of {', '.join(AGGREGATE_TYPES)}."]})
    if not await session.scalar(sa.select(is_object_visible(visibility, model, object_id))):
        raise UnknownReference("object_id", object_id, key="id")
    name, lab_id = await _fetch_name_and_lab(session, model, object_id)
    return RegistrationScope(
        session_id=None,
        content_type=model,
        object_id=object_id,
        folder="aggregates",
        lab_id=lab_id,
        subject_lab_id=lab_id,
        below=folders_of_object(model, name, object_id),
    )


_OBJECTS = {ContentType.PROJECT: PROJECTS, ContentType.LAB: LABS, ContentType.TAG: TAGS}


async def _fetch_name_and_lab(
    session: ReadSession, model: str, object_id: UUID
) -> tuple[str | None, UUID | None]:
    """The name in the path of an object's files (None: only its id is used), and its lab."""
    if model == ContentType.SUBJECT:
        subjects = table(SUBJECTS)
        row = (await session.execute(sa.select(subjects).where(subjects.c.id == object_id))).one()
        return row.lab and f"{row.lab}/{row.nickname}", row.lab_id
    if model == ContentType.PROBEINSERTION:
        insertions, sessions = table(INSERTIONS), table(SESSIONS)
        lab_id = sa.select(sessions.c.lab_id).where(
            insertions.c.id == object_id, sessions.c.id == insertions.c.session_id
        )
        return None, await session.scalar(lab_id)
    objects = table(_OBJECTS[ContentType(model)])
    name = await session.scalar(sa.select(objects.c.name).where(objects.c.id == object_id))
    return name, object_id if model == ContentType.LAB else None

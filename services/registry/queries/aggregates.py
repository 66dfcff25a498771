"""To what files that are of no session belong: an animal, a project, a lab, a tag, an insertion."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.problem import BadRequest
from libs.common.published import INSERTIONS, LABS, PROJECTS, SESSIONS, SUBJECTS, TAGS, table
from libs.common.visibility import Visibility
from libs.common.visible import object_visible
from services.registry.domain.requests import AGGREGATE_TYPES, folders_of_object
from services.registry.queries.registration import Scope, unknown


async def aggregate_scope(read: AsyncSession, seen: Visibility, content_type: str, object_id: UUID) -> Scope:
    """An object other than a session. Raises BadRequest for an unknown type or object.

    An object that the caller may not know of is unknown.
    """
    model = content_type.rpartition(".")[2].lower()
    if model not in AGGREGATE_TYPES:
        raise BadRequest(fields={"content_type": [f"'{model}' is none of {', '.join(AGGREGATE_TYPES)}."]})
    if not await read.scalar(sa.select(object_visible(seen, model, object_id))):
        raise unknown("object_id", "id", object_id)
    name, lab_id = await _named(read, model, object_id)
    return Scope(
        None,
        model,
        object_id,
        "aggregates",
        lab_id,
        lab_id,
        folders_of_object(model, name, object_id),
    )


async def _named(read: AsyncSession, model: str, object_id: UUID) -> tuple[str | None, UUID | None]:
    """What the path of an object's files calls it (None: only its id will do), and its lab."""
    if model == "subject":
        subject = table(SUBJECTS)
        row = (await read.execute(sa.select(subject).where(subject.c.id == object_id))).one()
        return row.lab and f"{row.lab}/{row.nickname}", row.lab_id
    if model == "probeinsertion":
        insertion, session = table(INSERTIONS), table(SESSIONS)
        found = sa.select(session.c.lab_id).where(
            insertion.c.id == object_id, session.c.id == insertion.c.session_id
        )
        return None, await read.scalar(found)
    thing = table({"project": PROJECTS, "lab": LABS, "tag": TAGS}[model])
    name = await read.scalar(sa.select(thing.c.name).where(thing.c.id == object_id))
    return name, object_id if model == "lab" else None

"""Names → ids. Bodies name their relations; what does not exist is told by field."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from libs.common.problem import BadRequest
from libs.common.published import REPOSITORIES, table
from libs.common.visibility import Visibility
from libs.common.visible import session_visible, subject_visible
from services.metadata.models import (
    LabRow,
    LineRow,
    LitterRow,
    LocationRow,
    ProjectRow,
    SessionProjectRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
)
from services.metadata.queries import visible


class Vocabulary(StrEnum):
    """The kinds of words in the table `vocabulary`."""

    SPECIES = "species"
    STRAIN = "strain"
    SOURCE = "source"
    ALLELE = "allele"
    WATER_TYPE = "water-type"
    PROCEDURE = "procedure"


Named = (
    type[LabRow]
    | type[LineRow]
    | type[LitterRow]
    | type[LocationRow]
    | type[ProjectRow]
    | type[SubjectRow]
    | type[UserRow]
)
_NAMES: dict[Any, InstrumentedAttribute[str]] = {
    LabRow: LabRow.name,
    LineRow: LineRow.name,
    LitterRow: LitterRow.name,
    LocationRow: LocationRow.name,
    ProjectRow: ProjectRow.name,
    SubjectRow: SubjectRow.nickname,
    UserRow: UserRow.username,
}


def unknown(field: str, called: str, name: object) -> BadRequest:
    """The problem of a body that names what is not there."""
    return BadRequest(fields={field: [f"Object with {called}={name} does not exist."]})


async def ids_named(session: AsyncSession, kind: Named, names: Sequence[str], field: str) -> list[UUID]:
    """The ids of named things, in the order of the names. Raises BadRequest naming the first that is unknown."""
    name = _NAMES[kind]
    found = await session.execute(
        sa.select(name, kind.id)
        .where(name.in_(names), kind.deleted_at.is_(None))
        .order_by(kind.created_at.desc())
    )
    return _in_order({row[0]: row[1] for row in found}, names, field, name.key)


async def projects(session: AsyncSession, seen: Visibility, names: Sequence[str], field: str) -> list[UUID]:
    """The ids of projects; one that the caller may not know of is unknown. Raises BadRequest."""
    found = await session.execute(
        sa.select(ProjectRow.name, ProjectRow.id).where(ProjectRow.name.in_(names), visible.projects(seen))
    )
    return _in_order({row[0]: row[1] for row in found}, names, field, "name")


# To a writer whose change would hide a thing from the writer: so nobody locks the door behind oneself.
LOSES_SIGHT = ["You would no longer see it: name one of your own projects, or let an administrator do it."]


async def subject_known(session: AsyncSession, seen: Visibility, subject_id: UUID) -> bool:
    """Whether there is an animal of that id that the caller may know of."""
    return bool(await session.scalar(sa.select(subject_visible(seen, subject_id))))


async def session_known(session: AsyncSession, seen: Visibility, session_id: UUID) -> bool:
    """Whether there is a session of that id that the caller may know of."""
    return bool(await session.scalar(sa.select(session_visible(seen, session_id))))


async def hidden_projects(session: AsyncSession, seen: Visibility, kind: Any, owner_id: UUID) -> list[UUID]:
    """Projects of a session or an animal that the caller may not know of: a new list leaves them as they are."""
    if seen.everything:
        return []
    owner = kind.session_id if kind is SessionProjectRow else kind.subject_id
    found = await session.execute(
        sa.select(kind.project_id)
        .join(ProjectRow, ProjectRow.id == kind.project_id)
        .where(owner == owner_id, sa.not_(visible.projects(seen)))
    )
    return list(found.scalars())


async def terms(session: AsyncSession, kind: Vocabulary, names: Sequence[str], field: str) -> list[UUID]:
    """The ids of words of one vocabulary. Raises BadRequest naming the first that is unknown."""
    found = await session.execute(
        sa.select(VocabularyRow.name, VocabularyRow.id).where(
            VocabularyRow.kind == kind, VocabularyRow.name.in_(names), VocabularyRow.deleted_at.is_(None)
        )
    )
    return _in_order({row[0]: row[1] for row in found}, names, field, "name")


async def repositories(session: AsyncSession, names: Sequence[str], field: str) -> list[UUID]:
    """The ids of repositories, which are registry's. Raises BadRequest naming the first that is unknown."""
    theirs = table(REPOSITORIES)
    found = await session.execute(sa.select(theirs.c.name, theirs.c.id).where(theirs.c.name.in_(names)))
    return _in_order({row[0]: row[1] for row in found}, names, field, "name")


def _in_order(known: dict[str, UUID], names: Sequence[str], field: str, called: str) -> list[UUID]:
    for name in names:
        if name not in known:
            raise unknown(field, called, name)
    return [known[name] for name in dict.fromkeys(names)]


async def id_named(session: AsyncSession, kind: Named, name: str | None, field: str) -> UUID | None:
    """The id of one named thing; None for no name."""
    return (await ids_named(session, kind, [name], field))[0] if name else None


async def term(session: AsyncSession, kind: Vocabulary, name: str | None, field: str) -> UUID | None:
    """The id of one word; None for no name."""
    return (await terms(session, kind, [name], field))[0] if name else None

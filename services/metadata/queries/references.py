"""Names in bodies → ids. A name of nothing, or of what the caller may not know of, is refused by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from cingulum.alf.spelling import normal
from libs.common.db import ReadSession
from libs.common.db.naming import has_any_id_or_name, ids_by_text
from libs.common.problem import UnknownReference
from libs.common.published import REPOSITORIES, table
from libs.common.visibility import Visibility
from libs.common.visible import is_session_visible, is_subject_visible
from services.metadata.models import (
    ActionRow,
    LabRow,
    LineRow,
    LitterRow,
    LocationRow,
    ProjectRow,
    SessionProjectRow,
    SubjectProjectRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
)
from services.metadata.queries import visible


class Vocabulary(StrEnum):
    """The kinds of terms in the table `vocabulary`."""

    SPECIES = "species"
    STRAIN = "strain"
    SOURCE = "source"
    ALLELE = "allele"
    WATER_TYPE = "water-type"
    PROCEDURE = "procedure"
    PROBE_MODEL = "probe-model"
    COORDINATE_SYSTEM = "coordinate-system"
    IMAGING_TYPE = "imaging-type"


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


async def fetch_ids(session: ReadSession, kind: Named, names: Sequence[str], field: str) -> list[UUID]:
    """The ids of rows of these ids or names, in their order. Raises UnknownReference for the first unknown name."""
    name, names = _NAMES[kind], [normal(text) for text in names]
    rows = await session.execute(
        sa.select(name, kind.id)
        .where(has_any_id_or_name(kind.id, name, names), kind.deleted_at.is_(None))
        .order_by(kind.created_at.desc())
    )
    return _in_order(rows, names, field, name.key)


async def fetch_id(session: ReadSession, kind: Named, name: str | None, field: str) -> UUID | None:
    """The id of one named row; None for no name. Raises UnknownReference."""
    return (await fetch_ids(session, kind, [name], field))[0] if name else None


async def find_lab_zone(session: ReadSession, lab_id: UUID | None) -> str | None:
    """The time zone of a lab; None for no lab."""
    zone: str | None = await session.scalar(sa.select(LabRow.timezone).where(LabRow.id == lab_id))
    return zone


async def fetch_project_ids(
    session: ReadSession, visibility: Visibility, names: Sequence[str], field: str
) -> list[UUID]:
    """The ids of projects that the caller can see. Raises UnknownReference for the first other name."""
    names = [normal(text) for text in names]
    rows = await session.execute(
        sa.select(ProjectRow.name, ProjectRow.id).where(
            has_any_id_or_name(ProjectRow.id, ProjectRow.name, names), visible.is_project_visible(visibility)
        )
    )
    return _in_order(rows, names, field, "name")


async def fetch_hidden_projects_of_session(
    session: ReadSession, visibility: Visibility, session_id: UUID
) -> list[UUID]:
    """Projects of a session that the caller may not know of: a new list of names leaves them as they are."""
    link = SessionProjectRow
    return await _hidden(session, visibility, link.project_id, link.session_id == session_id)


async def fetch_hidden_projects_of_subject(
    session: ReadSession, visibility: Visibility, subject_id: UUID
) -> list[UUID]:
    """The same of a subject."""
    link = SubjectProjectRow
    return await _hidden(session, visibility, link.project_id, link.subject_id == subject_id)


async def _hidden(
    session: ReadSession, visibility: Visibility, project_id: Any, is_link: sa.ColumnElement[bool]
) -> list[UUID]:
    if visibility.everything:
        return []
    rows = await session.scalars(
        sa.select(project_id)
        .join(ProjectRow, ProjectRow.id == project_id)
        .where(is_link, sa.not_(visible.is_project_visible(visibility)))
    )
    return list(rows)


async def exists_subject(session: ReadSession, visibility: Visibility, subject_id: UUID) -> bool:
    """Whether there is a subject of that id that the caller can see."""
    return bool(await session.scalar(sa.select(is_subject_visible(visibility, subject_id))))


async def exists_session(session: ReadSession, visibility: Visibility, session_id: UUID) -> bool:
    """Whether there is a session of that id that the caller can see."""
    return bool(await session.scalar(sa.select(is_session_visible(visibility, session_id))))


async def find_kept_session_id(
    session: ReadSession, visibility: Visibility, session_id: UUID | None
) -> UUID | None:
    """The session that a link keeps when a body clears it: one that the caller is not shown; else None."""
    if session_id is None or await exists_session(session, visibility, session_id):
        return None
    return session_id


async def find_kept_action_id(
    session: ReadSession, visibility: Visibility, action_id: UUID | None
) -> UUID | None:
    """The same for a link to a chronic insertion."""
    if action_id is None:
        return None
    is_shown = await session.scalar(sa.select(visible.is_action_visible(visibility, action_id)))
    return None if is_shown else action_id


async def fetch_subject_id_of_action(session: ReadSession, action_id: UUID) -> UUID:
    """The subject of an action, which may be deleted or hidden from the caller."""
    rows = await session.execute(sa.select(ActionRow.subject_id).where(ActionRow.id == action_id))
    subject_id: UUID = rows.scalar_one()
    return subject_id


async def fetch_term_ids(
    session: ReadSession, vocabulary: Vocabulary, names: Sequence[str], field: str
) -> list[UUID]:
    """The ids of terms of one vocabulary. Raises UnknownReference for the first unknown name."""
    names = [normal(text) for text in names]
    rows = await session.execute(
        sa.select(VocabularyRow.name, VocabularyRow.id).where(
            VocabularyRow.kind == vocabulary,
            has_any_id_or_name(VocabularyRow.id, VocabularyRow.name, names),
            VocabularyRow.deleted_at.is_(None),
        )
    )
    return _in_order(rows, names, field, "name")


async def fetch_term_id(
    session: ReadSession, vocabulary: Vocabulary, name: str | None, field: str
) -> UUID | None:
    """The id of one term; None for no name. Raises UnknownReference."""
    return (await fetch_term_ids(session, vocabulary, [name], field))[0] if name else None


async def fetch_part_number(session: ReadSession, text: str, field: str) -> str:
    """The part number of a probe model, which is its nickname, from this or from its name. Raises UnknownReference."""
    text = normal(text)
    number = sa.func.coalesce(sa.func.nullif(VocabularyRow.nickname, ""), VocabularyRow.name)
    rows = await session.scalars(
        sa.select(number)
        .where(VocabularyRow.kind == Vocabulary.PROBE_MODEL, VocabularyRow.deleted_at.is_(None))
        .where(sa.or_(number == text, VocabularyRow.name == text))
        .order_by((number == text).desc())
        .limit(1)
    )
    part_number: str | None = rows.one_or_none()
    if part_number is None:
        raise UnknownReference(field, text, key="probe_model")
    return part_number


async def find_term_id(session: ReadSession, vocabulary: Vocabulary, name: str) -> UUID | None:
    """The id of one term; None if it does not exist."""
    term_id: UUID | None = await session.scalar(
        sa.select(VocabularyRow.id).where(
            VocabularyRow.kind == vocabulary, VocabularyRow.name == name, VocabularyRow.deleted_at.is_(None)
        )
    )
    return term_id


async def fetch_allele_ids(session: ReadSession, names: Iterable[str], field: str) -> dict[str, UUID]:
    """The ids of alleles by name or nickname. Raises UnknownReference for the first unknown name."""
    rows = await session.execute(
        sa.select(VocabularyRow.nickname, VocabularyRow.name, VocabularyRow.id).where(
            VocabularyRow.kind == Vocabulary.ALLELE
        )
    )
    spelled = {name: normal(name) for name in names}
    named = [(name, row.id) for row in rows for name in (row.name, row.nickname)]
    ids = ids_by_text(named, spelled.values())
    _check_known(ids, spelled.values(), field, "nickname")
    return {name: ids[spelling] for name, spelling in spelled.items()}


async def fetch_repository_ids(session: ReadSession, names: Sequence[str], field: str) -> list[UUID]:
    """The ids of repositories, which are registry's. Raises UnknownReference for the first unknown name."""
    repository, names = table(REPOSITORIES), [normal(text) for text in names]
    rows = await session.execute(
        sa.select(repository.c.name, repository.c.id).where(
            has_any_id_or_name(repository.c.id, repository.c.name, names)
        )
    )
    return _in_order(rows, names, field, "name")


def _in_order(rows: Iterable[Any], names: Sequence[str], field: str, key: str) -> list[UUID]:
    ids = ids_by_text([(row[0], row[1]) for row in rows], names)
    _check_known(ids, names, field, key)
    return list(dict.fromkeys(ids[name] for name in names))


def _check_known(ids: Mapping[str, UUID], names: Iterable[str], field: str, key: str) -> None:
    for name in names:
        if name not in ids:
            raise UnknownReference(field, name, key=key)

"""Subjects: what is shown of them, and what decides on changes of them and of their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from cingulum.alf.spelling import normal
from libs.common.db import ReadSession, WriteSession
from libs.common.db.pages import fetch_page
from libs.common.db.rows import find_twin_in, lock_name
from libs.common.schemas.ids import find_uuid
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.metadata.domain.clock import DEFAULT_ZONE
from services.metadata.domain.subject_names import NamedSubject
from services.metadata.domain.subjects import AlleleZygosity
from services.metadata.domain.welfare import Animal
from services.metadata.models import (
    ActionRow,
    LabRow,
    LineRow,
    LitterRow,
    ProjectRow,
    SessionProjectRow,
    SubjectProjectRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
    ZygosityRow,
)
from services.metadata.queries import visible
from services.metadata.queries.list_filters.subjects import SubjectFilters, has_open_restriction
from services.metadata.queries.subselects import Source, Species, Strain, names_of


@dataclass(frozen=True, slots=True)
class SubjectRecord:
    """A subject: what the welfare rules need of it, and what else is shown, by the names of the schema `Subject`."""

    id: UUID
    animal: Animal
    responsible_user: str | None
    species: str | None
    litter: str | None
    strain: str | None
    source: str | None
    line: str | None
    projects: Sequence[str]
    session_projects: Sequence[str]
    lab: str | None
    genotype: Sequence[AlleleZygosity]
    description: str
    json: object
    has_namesake: bool  # with another subject that the caller can see


@dataclass(frozen=True, slots=True)
class SubjectBrief:
    """What decides on changes of a subject's records. `zone` is the time zone by which their times are read."""

    id: UUID
    nickname: str
    lab_id: UUID | None
    death_date: date | None
    zone: str


def _genotype() -> sa.ScalarSelect[Any]:
    pair = sa.func.json_build_object("allele", VocabularyRow.nickname, "zygosity", ZygosityRow.zygosity)
    return (
        sa.select(sa.func.coalesce(sa.func.json_agg(pair), sa.text("'[]'::json")))
        .where(ZygosityRow.subject_id == SubjectRow.id, ZygosityRow.allele_id == VocabularyRow.id)
        .scalar_subquery()
    )


def _has_namesake(visibility: Visibility) -> sa.ColumnElement[bool]:
    other = aliased(SubjectRow)
    return (
        sa.exists()
        .where(other.nickname == SubjectRow.nickname, other.id != SubjectRow.id)
        .where(visible.is_subject_visible(visibility, other))
        .correlate_except(other)
    )


def _select_subjects(visibility: Visibility) -> sa.Select[Any]:
    return (
        sa.select(
            *SubjectRow.__table__.columns,
            LabRow.name.label("lab"),
            LabRow.timezone,
            LabRow.reference_weight_pct,
            LabRow.zscore_weight_pct,
            UserRow.username.label("responsible_user"),
            Species.name.label("species"),
            Strain.name.label("strain"),
            Source.name.label("source"),
            LineRow.name.label("line"),
            LitterRow.name.label("litter"),
            names_of(
                ProjectRow.name,
                SubjectProjectRow.subject_id == SubjectRow.id,
                SubjectProjectRow.project_id == ProjectRow.id,
                visible.is_project_visible(visibility),
            ).label("projects"),
            names_of(
                ProjectRow.name,
                ActionRow.subject_id == SubjectRow.id,
                ActionRow.deleted_at.is_(None),
                SessionProjectRow.session_id == ActionRow.id,
                SessionProjectRow.project_id == ProjectRow.id,
                visible.is_project_visible(visibility),
                visible.is_session_visible(visibility),
            ).label("session_projects"),
            _genotype().label("genotype"),
            _has_namesake(visibility).label("has_namesake"),
        )
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .join(UserRow, UserRow.id == SubjectRow.responsible_user_id, isouter=True)
        .join(Species, Species.id == SubjectRow.species_id, isouter=True)
        .join(Strain, Strain.id == SubjectRow.strain_id, isouter=True)
        .join(Source, Source.id == SubjectRow.source_id, isouter=True)
        .join(LineRow, LineRow.id == SubjectRow.line_id, isouter=True)
        .join(LitterRow, LitterRow.id == SubjectRow.litter_id, isouter=True)
        .where(visible.is_subject_visible(visibility))
    )


_COLUMNS: Final = [field.name for field in fields(SubjectRecord) if field.name not in {"animal", "genotype"}]


def _record(row: Mapping[str, Any]) -> SubjectRecord:
    animal = Animal(
        nickname=row["nickname"],
        sex=row["sex"],
        birth_date=row["birth_date"],
        death_date=row["death_date"],
        timezone=row["timezone"],
        reference_weight_pct=row["reference_weight_pct"],
        zscore_weight_pct=row["zscore_weight_pct"],
    )
    genotype = [AlleleZygosity(**pair) for pair in row["genotype"]]
    return SubjectRecord(animal=animal, genotype=genotype, **{name: row[name] for name in _COLUMNS})


async def list_subjects(
    session: ReadSession, visibility: Visibility, filters: SubjectFilters, paging: PageRequest
) -> tuple[int, list[SubjectRecord]]:
    """A page of subjects by nickname, and the count of all."""
    statement = _select_subjects(visibility).where(*filters.conditions(visibility))
    return await _page(session, statement, paging)


async def list_restricted_subjects(
    session: ReadSession, visibility: Visibility, paging: PageRequest
) -> tuple[int, list[SubjectRecord]]:
    """The same of subjects with an open water restriction."""
    return await _page(session, _select_subjects(visibility).where(has_open_restriction()), paging)


async def _page(
    session: ReadSession, statement: sa.Select[Any], paging: PageRequest
) -> tuple[int, list[SubjectRecord]]:
    count, rows = await fetch_page(session, statement.order_by(SubjectRow.nickname, SubjectRow.id), paging)
    return count, [_record(row) for row in rows]


async def fetch_subject(session: ReadSession, visibility: Visibility, subject_id: UUID) -> SubjectRecord:
    """A subject that exists and that the caller can see."""
    rows = await session.execute(_select_subjects(visibility).where(SubjectRow.id == subject_id))
    return _record(rows.mappings().one())


async def fetch_named_subjects(session: ReadSession, visibility: Visibility, name: str) -> list[NamedSubject]:
    """The subjects that the caller can see and whose id or nickname this is, newest first."""
    subject_id = find_uuid(name)
    named = SubjectRow.nickname == normal(name)
    rows = await session.execute(
        sa.select(SubjectRow.id, SubjectRow.nickname, LabRow.name)
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .where(named if subject_id is None else sa.or_(named, SubjectRow.id == subject_id))
        .where(visible.is_subject_visible(visibility))
        .order_by(SubjectRow.created_at.desc(), SubjectRow.id)
    )
    return [NamedSubject(*row) for row in rows]


def _select_briefs() -> sa.Select[Any]:
    columns: list[Any] = [
        SubjectRow.id,
        SubjectRow.nickname,
        SubjectRow.lab_id,
        SubjectRow.death_date,
        sa.func.coalesce(LabRow.timezone, DEFAULT_ZONE).label("zone"),
    ]
    return sa.select(*columns)


async def find_brief_by_id(
    session: ReadSession, visibility: Visibility, subject_id: UUID
) -> SubjectBrief | None:
    """What decides on changes of the records of a subject that the caller can see."""
    rows = await session.execute(
        _select_briefs()
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .where(SubjectRow.id == subject_id, visible.is_subject_visible(visibility))
    )
    row = rows.mappings().first()
    return None if row is None else SubjectBrief(**row)


async def fetch_brief_of_action(session: ReadSession, action: ActionRow) -> SubjectBrief:
    """The subject of an action, visible or not; times are read in the zone of the lab where it happens."""
    rows = await session.execute(
        _select_briefs()
        .join(LabRow, LabRow.id == (action.lab_id or SubjectRow.lab_id), isouter=True)
        .where(SubjectRow.id == action.subject_id)
    )
    return SubjectBrief(**rows.mappings().one())


async def lock_subject_by_id(
    session: WriteSession, subject_id: UUID, *, to_delete: bool = False
) -> SubjectRow:
    """A subject that is known to exist, locked; its records can still be added, unless it is locked to delete it."""
    rows = await session.scalars(
        sa.select(SubjectRow).where(SubjectRow.id == subject_id).with_for_update(key_share=not to_delete)
    )
    return rows.one()


async def find_twin_nickname(
    session: WriteSession, row_id: UUID, nickname: str, lab_id: UUID | None, responsible_user_id: UUID | None
) -> str | None:
    """The nickname of another subject of the lab, or of the responsible user, that is a spelling of this one.

    Of two transactions with spellings of one nickname the second waits for the first.
    """
    same = sa.or_(SubjectRow.lab_id == lab_id, SubjectRow.responsible_user_id == responsible_user_id)
    others = (same, SubjectRow.deleted_at.is_(None), SubjectRow.id != row_id)
    await lock_name(session, "subjects.nickname", nickname)
    return await find_twin_in(session, SubjectRow.nickname, nickname, others)

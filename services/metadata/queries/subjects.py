"""Animals, weights and water."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.visibility import Visibility
from libs.common.visible import session_visible
from services.metadata.models import (
    ActionRow,
    LabRow,
    LineAlleleRow,
    LineRow,
    LitterRow,
    ProjectRow,
    SessionProjectRow,
    SubjectProjectRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
    WaterAdministrationRow,
    WeighingRow,
    ZygosityRow,
)
from services.metadata.queries import visible
from services.metadata.queries.house import names_of

Species = sa.orm.aliased(VocabularyRow, name="species")
Strain = sa.orm.aliased(VocabularyRow, name="strain")
Source = sa.orm.aliased(VocabularyRow, name="source")
WaterType = sa.orm.aliased(VocabularyRow, name="water_type")


def _genotype() -> sa.ScalarSelect[Any]:
    pair = sa.func.json_build_object("allele", VocabularyRow.nickname, "zygosity", ZygosityRow.zygosity)
    return (
        sa.select(sa.func.coalesce(sa.func.json_agg(pair), sa.text("'[]'::json")))
        .where(ZygosityRow.subject_id == SubjectRow.id, ZygosityRow.allele_id == VocabularyRow.id)
        .scalar_subquery()
    )


def subjects(seen: Visibility) -> sa.Select[Any]:
    """Animals the caller may know of, by nickname."""
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
                visible.projects(seen),
            ).label("projects"),
            names_of(
                ProjectRow.name,
                ActionRow.subject_id == SubjectRow.id,
                ActionRow.deleted_at.is_(None),
                SessionProjectRow.session_id == ActionRow.id,
                SessionProjectRow.project_id == ProjectRow.id,
                visible.projects(seen),
                visible.sessions(seen),
            ).label("session_projects"),
            _genotype().label("genotype"),
        )
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .join(UserRow, UserRow.id == SubjectRow.responsible_user_id, isouter=True)
        .join(Species, Species.id == SubjectRow.species_id, isouter=True)
        .join(Strain, Strain.id == SubjectRow.strain_id, isouter=True)
        .join(Source, Source.id == SubjectRow.source_id, isouter=True)
        .join(LineRow, LineRow.id == SubjectRow.line_id, isouter=True)
        .join(LitterRow, LitterRow.id == SubjectRow.litter_id, isouter=True)
        .where(visible.subjects(seen))
        .order_by(SubjectRow.nickname, SubjectRow.id)
    )


def alive() -> sa.ColumnElement[bool]:
    """The animal has not died yet."""
    return sa.or_(SubjectRow.death_date.is_(None), SubjectRow.death_date > sa.func.current_date())


def open_restriction() -> sa.ColumnElement[bool]:
    """The animal has a restriction without an end."""
    return sa.exists().where(
        ActionRow.kind == "water-restriction",
        ActionRow.subject_id == SubjectRow.id,
        ActionRow.end_at.is_(None),
        ActionRow.deleted_at.is_(None),
    )


def weighings(seen: Visibility) -> sa.Select[Any]:
    """Weighings of visible animals, newest first."""
    return (
        sa.select(
            *WeighingRow.__table__.columns,
            SubjectRow.nickname.label("subject"),
            UserRow.username.label("user"),
        )
        .join(SubjectRow, SubjectRow.id == WeighingRow.subject_id)
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .join(UserRow, UserRow.id == WeighingRow.user_id, isouter=True)
        .where(WeighingRow.deleted_at.is_(None), visible.subjects(seen))
        .order_by(WeighingRow.date_time_at.desc(), WeighingRow.id)
    )


def waters(seen: Visibility) -> sa.Select[Any]:
    """Water administrations of visible animals, newest first."""
    return (
        sa.select(
            *(c for c in WaterAdministrationRow.__table__.columns if c.name != "session_id"),
            visible.session_id(seen, WaterAdministrationRow.session_id).label("session"),
            SubjectRow.nickname.label("subject"),
            UserRow.username.label("user"),
            WaterType.name.label("water_type"),
        )
        .join(SubjectRow, SubjectRow.id == WaterAdministrationRow.subject_id)
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .join(UserRow, UserRow.id == WaterAdministrationRow.user_id, isouter=True)
        .join(WaterType, WaterType.id == WaterAdministrationRow.water_type_id, isouter=True)
        .where(WaterAdministrationRow.deleted_at.is_(None), visible.subjects(seen))
        .order_by(WaterAdministrationRow.date_time_at.desc(), WaterAdministrationRow.id)
    )


def water_in_session(seen: Visibility, session_id: UUID) -> sa.ColumnElement[bool]:
    """Water of a session; none of one that the caller may not know of."""
    column = WaterAdministrationRow.session_id
    return sa.and_(column == session_id, session_visible(seen, column))


def lines(seen: Visibility) -> sa.Select[Any]:
    """Breeding lines by name; of a narrowed token those of its labs and of none."""
    return (
        sa.select(
            LineRow.id,
            LineRow.name,
            LineRow.nickname,
            Strain.name.label("strain"),
            LabRow.name.label("lab"),
            names_of(
                VocabularyRow.nickname,
                LineAlleleRow.line_id == LineRow.id,
                LineAlleleRow.allele_id == VocabularyRow.id,
            ).label("alleles"),
        )
        .join(Strain, Strain.id == LineRow.strain_id, isouter=True)
        .join(LabRow, LabRow.id == LineRow.lab_id, isouter=True)
        .where(LineRow.deleted_at.is_(None), visible.labs(seen, LineRow.lab_id))
        .order_by(LineRow.name)
    )


def litters(seen: Visibility) -> sa.Select[Any]:
    """Litters by name; of a narrowed token those of its labs' lines and of none."""
    columns: list[Any] = [LitterRow.id, LitterRow.name, LitterRow.birth_date, LineRow.name.label("line")]
    return (
        sa.select(*columns)
        .join(LineRow, LineRow.id == LitterRow.line_id, isouter=True)
        .where(LitterRow.deleted_at.is_(None), visible.labs(seen, LineRow.lab_id))
        .order_by(LitterRow.name)
    )


class Weight(NamedTuple):
    """One reading of the scale."""

    date_time_at: datetime
    weight: float


class Given(NamedTuple):
    """Water that an animal got."""

    date_time_at: datetime
    water_administered: float | None
    session_id: UUID | None


def _by_animal(kind: Any, subject_ids: list[UUID], *columns: Any) -> sa.Select[Any]:
    """Columns of an animal's records as arrays, oldest first: one row an animal, not one a record."""
    order = (kind.date_time_at, kind.id)
    arrays = [sa.func.array_agg(aggregate_order_by(column, *order)) for column in columns]
    return (
        sa.select(kind.subject_id, *arrays)
        .where(kind.subject_id.in_(subject_ids), kind.deleted_at.is_(None))
        .group_by(kind.subject_id)
    )


async def histories(session: AsyncSession, subject_ids: list[UUID]) -> dict[str, dict[UUID, list[Any]]]:
    """Weighings, waters, surgeries and restrictions of animals, each oldest first, by animal."""
    water = WaterAdministrationRow
    actions = (
        sa.select(
            ActionRow.kind,
            ActionRow.subject_id,
            ActionRow.start_time,
            ActionRow.start_at,
            ActionRow.end_at,
            ActionRow.reference_weight,
            ActionRow.implant_weight,
        )
        .where(
            ActionRow.subject_id.in_(subject_ids),
            ActionRow.kind.in_(("surgery", "water-restriction")),
            ActionRow.deleted_at.is_(None),
        )
        .order_by(ActionRow.start_at, ActionRow.id)
    )
    weights = await session.execute(
        _by_animal(WeighingRow, subject_ids, WeighingRow.date_time_at, WeighingRow.weight)
    )
    waters = await session.execute(
        _by_animal(water, subject_ids, water.date_time_at, water.water_administered, water.session_id)
    )
    acted = await session.execute(actions)
    # Tens of thousands of records: unpacking them would hold the loop.
    return await asyncio.to_thread(_unpacked, weights.all(), waters.all(), acted.all())


def _unpacked(
    weights: Sequence[Any], waters: Sequence[Any], acted: Sequence[Any]
) -> dict[str, dict[UUID, list[Any]]]:
    found: dict[str, dict[UUID, list[Any]]] = {
        "weights": {which: list(map(Weight, *columns)) for which, *columns in weights},
        "waters": {which: list(map(Given, *columns)) for which, *columns in waters},
        "surgeries": {},
        "restrictions": {},
    }
    for action in acted:
        kind = "surgeries" if action.kind == "surgery" else "restrictions"
        found[kind].setdefault(action.subject_id, []).append(action)
    return found

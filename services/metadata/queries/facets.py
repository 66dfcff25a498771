"""Facets of the sessions that pass filters: for each value the count of sessions, all in one statement."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from libs.common.db import PageSession
from libs.common.db.json_pages import per_caller, request_value
from libs.common.db.prepared import Shape, fetch_prepared
from libs.common.filters.regions import is_part_of
from libs.common.published import DATASET_TYPES, DATASETS, SESSION_DATASET_TYPES, table
from libs.common.schemas.facets import Facet, Facets, FacetValue
from libs.common.schemas.qc import QC_NAMES
from libs.common.schemas.states import ActionKind
from libs.common.schemas.trajectories import ALIGNED
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionRow,
    BrainRegionRow,
    ChannelRow,
    FieldOfViewRow,
    FovLocationRow,
    InsertionRow,
    LabRow,
    LocationRow,
    ProjectRow,
    SessionProjectRow,
    SubjectRow,
    TrajectoryRow,
)
from services.metadata.queries import visible
from services.metadata.queries.list_filters.sessions import SessionFilters

_MOST: Final = "most_values"


class _Row(NamedTuple):
    value: str
    label: str
    n_sessions: int
    n_values: int


@dataclass(frozen=True)
class _Facet:
    """A facet: the parameter of `/sessions` that it is filtered by."""

    name: str
    parameter: str


FACETS: Final = (
    _Facet("lab", "lab"),
    _Facet("subject", "subject"),
    _Facet("project", "projects"),
    _Facet("task_protocol", "task_protocol"),
    _Facet("dataset_type", "dataset_types"),
    _Facet("brain_region", "atlas_acronym"),
    _Facet("qc", "qc"),
    _Facet("year", "date_range"),
)


async def fetch_facets(
    session: PageSession, visibility: Visibility, filters: SessionFilters, most: int
) -> Facets:
    """The most frequent values of each facet; a session of several values counts once for each."""
    base, shape = _statements(visibility)
    n_sessions, counted = await fetch_prepared(
        session, base, filters.conditions(visibility), shape, **{_MOST: most}
    )
    rows: dict[str, list[_Row]] = {each.name: [] for each in FACETS}
    for name, *row in json.loads(counted or "[]"):
        rows[name].append(_Row(*row))
    return Facets(count=n_sessions, facets=[_facet(each, rows[each.name]) for each in FACETS])


def _facet(facet: _Facet, rows: list[_Row]) -> Facet:
    values = [
        FacetValue(value=_value(facet, row), label=_label(facet, row), count=row.n_sessions)
        for row in sorted(rows, key=lambda row: (-row.n_sessions, row.value))
    ]
    n_values = rows[0].n_values if rows else 0
    return Facet(name=facet.name, parameter=facet.parameter, n_values=n_values, values=values)


def _value(facet: _Facet, row: _Row) -> str:
    if facet.name == "year":
        return f"{row.value}-01-01,{row.value}-12-31"
    return _label(facet, row) if facet.name == "qc" else row.value


def _label(facet: _Facet, row: _Row) -> str:
    return QC_NAMES[int(row.value)] if facet.name == "qc" else row.label


@per_caller
def _statements(visibility: Visibility) -> tuple[sa.Select[Any], Shape]:
    """The sessions with what is counted of themselves, and what makes the facets of them."""
    sessions = (
        sa.select(
            ActionRow.id,
            LabRow.name.label("lab"),
            SubjectRow.nickname.label("subject"),
            ActionRow.task_protocol,
            sa.cast(ActionRow.qc, sa.Text).label("qc"),
            sa.func.to_char(ActionRow.day, "YYYY").label("year"),
        )
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .join(LabRow, LabRow.id == ActionRow.lab_id, isouter=True)
        .join(LocationRow, LocationRow.id == ActionRow.location_id, isouter=True)
        .where(ActionRow.kind == ActionKind.SESSION, SubjectRow.deleted_at.is_(None))
        .where(visible.is_session_visible(visibility))
    )

    def shape(statement: sa.Select[Any]) -> sa.Select[Any]:
        every = statement.cte("every").prefix_with("MATERIALIZED", dialect="postgresql")
        rows = sa.union_all(*(_most_of(name, pairs) for name, pairs in _pairs(visibility, every).items()))
        facets = rows.subquery("facets")
        values = sa.func.json_build_array(*facets.c)
        n_sessions = sa.select(sa.func.count()).select_from(every).scalar_subquery()
        return sa.select(n_sessions, sa.cast(sa.func.json_agg(values), sa.Text))

    return sessions, shape


def _most_of(name: str, pairs: sa.Select[Any]) -> sa.Select[Any]:
    """The most frequent values of pairs of a session and a value, which are distinct."""
    pair = pairs.subquery()
    n_sessions = sa.func.count()
    counted = (
        sa.select(
            sa.literal(name, sa.Text()).label("facet"),
            pair.c.value,
            sa.func.min(pair.c.label).label("label"),
            n_sessions.label("n_sessions"),
            sa.func.count().over().label("n_values"),
        )
        .where(pair.c.value != "")
        .group_by(pair.c.value)
        .order_by(n_sessions.desc(), pair.c.value)
        .limit(request_value(_MOST, sa.BigInteger()))
    )
    return sa.select(counted.subquery())


def _pairs(visibility: Visibility, every: sa.CTE) -> dict[str, sa.Select[Any]]:
    own = {
        name: sa.select(every.c.id, every.c[name].label("value"), every.c[name].label("label"))
        for name in ("lab", "subject", "task_protocol", "qc", "year")
    }
    return {
        **own,
        "project": _projects(visibility, every),
        "dataset_type": _dataset_types(visibility, every),
        "brain_region": _regions(every),
    }


def _projects(visibility: Visibility, every: sa.CTE) -> sa.Select[Any]:
    return (
        sa.select(every.c.id, ProjectRow.name.label("value"), ProjectRow.name.label("label"))
        .join(SessionProjectRow, SessionProjectRow.session_id == every.c.id)
        .join(ProjectRow, ProjectRow.id == SessionProjectRow.project_id)
        .where(visible.is_project_visible(visibility))
    )


def _dataset_types(visibility: Visibility, every: sa.CTE) -> sa.Select[Any]:
    """As the filter counts them: whether a server has their files or not; for public readers public ones."""
    if visibility.public_only:
        dataset = table(DATASETS)
        name = dataset.c.dataset_type
        statement = sa.select(every.c.id, name.label("value"), name.label("label"))
        return statement.join(dataset, dataset.c.session_id == every.c.id).where(dataset.c.public).distinct()
    link, types = table(SESSION_DATASET_TYPES), table(DATASET_TYPES)
    typed = sa.select(link).distinct().subquery()
    return (
        sa.select(every.c.id, types.c.name.label("value"), types.c.name.label("label"))
        .join(typed, typed.c.session_id == every.c.id)
        .join(types, types.c.id == typed.c.dataset_type_id)
    )


def _regions(every: sa.CTE) -> sa.Select[Any]:
    """Regions that were recorded themselves; a session of a part of one counts, as the filter finds it."""
    probed = (
        sa.select(InsertionRow.session_id, ChannelRow.brain_region_id.label("region_id"))
        .join(TrajectoryRow, TrajectoryRow.insertion_id == InsertionRow.id)
        .join(ChannelRow, ChannelRow.trajectory_id == TrajectoryRow.id)
        .where(TrajectoryRow.provenance >= ALIGNED, TrajectoryRow.deleted_at.is_(None))
        .where(InsertionRow.deleted_at.is_(None), ChannelRow.deleted_at.is_(None))
    )
    imaged = (
        sa.select(FieldOfViewRow.session_id, sa.func.unnest(FovLocationRow.brain_region_ids))
        .join(FovLocationRow, FovLocationRow.field_of_view_id == FieldOfViewRow.id)
        .where(FovLocationRow.default_provenance, FovLocationRow.deleted_at.is_(None))
        .where(FieldOfViewRow.deleted_at.is_(None))
    )
    of_all = sa.union(probed, imaged).subquery("of_all")
    recorded = (
        sa.select(of_all.c.session_id, of_all.c.region_id)
        .join(every, every.c.id == of_all.c.session_id)
        .cte("recorded")
    )
    outer, inner = sa.orm.aliased(BrainRegionRow, name="outer"), sa.orm.aliased(BrainRegionRow, name="inner")
    ids = sa.select(recorded.c.region_id)
    within = (
        sa.select(inner.id, outer.acronym, outer.name)
        .where(is_part_of(inner, outer), inner.id.in_(ids), outer.id.in_(ids))
        .cte("within")
    )
    return (
        sa.select(
            recorded.c.session_id.label("id"), within.c.acronym.label("value"), within.c.name.label("label")
        )
        .join(within, within.c.id == recorded.c.region_id)
        .distinct()
    )

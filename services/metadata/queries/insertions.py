"""Insertions: probes in sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from libs.common.db import AnySession, PageSession, ReadSession
from libs.common.db.json_pages import (
    fetch_json_page,
    json_time,
    page_of_sorted,
    per_caller,
    request_value,
    with_flag,
)
from libs.common.db.prepared import Shape, fetch_rows
from libs.common.problem import NotFound
from libs.common.published import DATASETS, table
from libs.common.schemas.insertions import Insertion
from libs.common.schemas.pages import JsonPage, PageRequest
from libs.common.schemas.times import naive_utc
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, InsertionRow, LabRow, SubjectRow
from services.metadata.queries import visible
from services.metadata.queries.datasets import fetch_datasets_of_session
from services.metadata.queries.list_filters.datasets import is_of_insertion
from services.metadata.queries.list_filters.insertions import InsertionFilters
from services.metadata.queries.subselects import ids_of, project_names

_FRACTION_OR_LONG: Final = "[.]|[0-9]{18}"
_OF_SESSION = ("subject", "start_time", "number", "lab", "projects", "task_protocol")


def _dataset_ids(visibility: Visibility) -> Any:
    dataset = table(DATASETS)
    is_shown = dataset.c.public if visibility.public_only else sa.true()
    return ids_of(sa.select(dataset.c.id).where(is_of_insertion(dataset), is_shown).order_by(dataset.c.id))


def _select_insertions(visibility: Visibility, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    columns: list[Any] = [
        InsertionRow.id,
        InsertionRow.session_id.label("session"),
        InsertionRow.model,
        visible.action_id(visibility, InsertionRow.chronic_insertion_id).label("chronic_insertion"),
        InsertionRow.name,
        InsertionRow.json,
        InsertionRow.serial,
        InsertionRow.auto_datetime,
        ActionRow.start_time,
        ActionRow.number,
        ActionRow.task_protocol,
        SubjectRow.nickname.label("subject"),
        ActionRow.day,
        LabRow.name.label("lab"),
        project_names(visibility).label("projects"),
        _dataset_ids(visibility).label("datasets"),
    ]
    return (
        _visible(visibility, columns)
        .where(*conditions)
        .order_by(ActionRow.start_at.desc(), InsertionRow.name, InsertionRow.id)
    )


def _visible(visibility: Visibility, columns: Sequence[Any]) -> sa.Select[Any]:
    """Columns of the insertions that the caller can see, of their sessions, subjects and labs."""
    return (
        _joined(sa.select(*columns).select_from(InsertionRow))
        .where(InsertionRow.deleted_at.is_(None), SubjectRow.deleted_at.is_(None))
        .where(visible.is_session_visible(visibility))
    )


def _joined(insertions: sa.Select[Any]) -> sa.Select[Any]:
    return (
        insertions.join(ActionRow, ActionRow.id == InsertionRow.session_id)
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .join(LabRow, LabRow.id == ActionRow.lab_id, isouter=True)
    )


def _insertion(row: Mapping[str, Any], base_url: str, datasets: Sequence[object]) -> Insertion:
    session_info = {name: row[name] for name in _OF_SESSION} | {
        "id": row["session"],
        "url": f"{base_url}/sessions/{row['session']}",
    }
    return Insertion.model_validate(
        {
            **row,
            "session_info": session_info,
            "auto_datetime": naive_utc(row["auto_datetime"]),
            "datasets": datasets,
        }
    )


@per_caller
def _select_sortable(visibility: Visibility) -> sa.Select[Any]:
    return _visible(visibility, [InsertionRow.id, ActionRow.start_at, InsertionRow.name])


def _in_order(columns: Any) -> tuple[sa.ColumnElement[Any], ...]:
    return columns.start_at.desc(), columns.name, columns.id


@per_caller
def _page(visibility: Visibility) -> Shape:
    return page_of_sorted(_in_order, partial(_select_flagged, visibility))


def _select_flagged(visibility: Visibility, part: sa.Subquery) -> sa.Select[Any]:
    """Flagged are those whose JSON has numbers that the record of an insertion writes in another way."""
    has_such = sa.cast(InsertionRow.json, sa.Text).regexp_match(sa.literal_column(f"'{_FRACTION_OR_LONG}'"))
    return with_flag(select_listed(visibility, part), sa.func.coalesce(has_such, sa.false()))


def select_listed(visibility: Visibility, part: sa.Subquery) -> sa.Select[Any]:
    """Insertions whose ids are a column of `part`: the columns are the fields of `Insertion`."""
    base_url = request_value("base_url", sa.Text())
    of_session = {
        "id": InsertionRow.session_id,
        "subject": SubjectRow.nickname,
        "start_time": ActionRow.start_time,
        "number": ActionRow.number,
        "lab": LabRow.name,
        "projects": project_names(visibility),
        "url": base_url + "/sessions/" + sa.cast(InsertionRow.session_id, sa.Text),
        "task_protocol": ActionRow.task_protocol,
    }
    pairs = [part for name, value in of_session.items() for part in (sa.text(f"'{name}'"), value)]
    columns: list[Any] = [
        InsertionRow.id,
        InsertionRow.session_id.label("session"),
        InsertionRow.model,
        sa.func.json_build_object(*pairs).label("session_info"),
        InsertionRow.name,
        InsertionRow.json.label("json"),
        InsertionRow.serial,
        json_time(InsertionRow.auto_datetime).label("auto_datetime"),
        visible.action_id(visibility, InsertionRow.chronic_insertion_id).label("chronic_insertion"),
        _dataset_ids(visibility).label("datasets"),
    ]
    return _joined(sa.select(*columns).select_from(part).join(InsertionRow, InsertionRow.id == part.c.id))


async def list_insertions(
    session: PageSession,
    visibility: Visibility,
    filters: InsertionFilters,
    paging: PageRequest,
    base_url: str,
) -> JsonPage:
    """A page of insertions, latest session first, then by name, each with the ids of its datasets; and the count."""
    conditions = filters.conditions(visibility)
    page = await fetch_json_page(
        session,
        _select_sortable(visibility),
        conditions,
        paging,
        shape=_page(visibility),
        base_url=base_url,
    )
    if page.n_flagged:
        return replace(page, results=orjson.dumps(orjson.loads(page.results)).decode())
    return page


async def fetch_insertions_of_session(
    session: AnySession, visibility: Visibility, session_id: UUID, base_url: str
) -> list[Insertion]:
    """All insertions of a session, by name."""
    rows = await fetch_rows(session, _select_of_session(visibility), session_id=session_id)
    return [_insertion(row, base_url, row["datasets"]) for row in rows]


@per_caller
def _select_of_session(visibility: Visibility) -> sa.Select[Any]:
    return _select_insertions(visibility, InsertionRow.session_id == request_value("session_id", sa.Uuid()))


async def fetch_insertions_of_chronic(
    session: ReadSession, visibility: Visibility, chronic_insertion_ids: Sequence[UUID], base_url: str
) -> list[Insertion]:
    """All insertions of chronic insertions, latest session first."""
    if not chronic_insertion_ids:
        return []
    rows = await session.execute(
        _select_insertions(visibility, InsertionRow.chronic_insertion_id.in_(chronic_insertion_ids))
    )
    return [_insertion(row, base_url, row["datasets"]) for row in rows.mappings()]


async def fetch_insertion(
    session: ReadSession, visibility: Visibility, insertion_id: UUID, base_url: str
) -> Insertion:
    """One insertion, with those of its datasets that a server holds. Raises NotFound."""
    rows = await session.execute(_select_insertions(visibility, InsertionRow.id == insertion_id))
    row = rows.mappings().first()
    if row is None:
        raise NotFound(f"There is no insertion {insertion_id}.")
    datasets = [
        dataset
        for dataset in await fetch_datasets_of_session(session, visibility, row["session"], base_url)
        if dataset.id in row["datasets"]
    ]
    return _insertion(row, base_url, datasets)


async def exists_insertion(session: ReadSession, session_id: UUID, name: str) -> bool:
    """Whether a session has an insertion of that name."""
    insertion = sa.exists().where(
        InsertionRow.session_id == session_id, InsertionRow.name == name, InsertionRow.deleted_at.is_(None)
    )
    return bool(await session.scalar(sa.select(insertion)))

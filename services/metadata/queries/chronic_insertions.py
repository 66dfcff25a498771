"""Chronic insertions: as visible as their subject; their insertions, as visible as the sessions of these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.problem import NotFound
from libs.common.schemas.chronic_insertions import ChronicInsertion
from libs.common.schemas.insertions import Insertion
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.states import ActionKind
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, InsertionRow, LabRow, SubjectRow
from services.metadata.queries import visible
from services.metadata.queries.insertions import fetch_insertions_of_chronic
from services.metadata.queries.list_filters.chronic_insertions import ChronicInsertionFilters


def _select_chronic_insertions(visibility: Visibility, *conditions: Condition) -> sa.Select[Any]:
    stored = ("id", "name", "model", "start_time", "serial", "json")
    return (
        sa.select(
            *(ActionRow.__table__.c[name] for name in stored),
            SubjectRow.nickname.label("subject"),
            LabRow.name.label("lab"),
        )
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .join(LabRow, LabRow.id == ActionRow.lab_id, isouter=True)
        .where(ActionRow.kind == ActionKind.CHRONIC_INSERTION, ActionRow.deleted_at.is_(None))
        .where(visible.is_subject_visible(visibility), *conditions)
        .order_by(ActionRow.start_at.desc().nulls_last(), ActionRow.id)
    )


async def _with_insertions(
    session: ReadSession, visibility: Visibility, rows: Sequence[Mapping[str, Any]], base_url: str
) -> list[ChronicInsertion]:
    insertions: dict[UUID | None, list[Insertion]] = defaultdict(list)
    ids = [row["id"] for row in rows]
    for insertion in await fetch_insertions_of_chronic(session, visibility, ids, base_url):
        insertions[insertion.chronic_insertion].append(insertion)
    return [
        ChronicInsertion.model_validate({**row, "probe_insertion": insertions[row["id"]]}) for row in rows
    ]


async def list_chronic_insertions(
    session: ReadSession,
    visibility: Visibility,
    filters: ChronicInsertionFilters,
    paging: PageRequest,
    base_url: str,
) -> tuple[int, list[ChronicInsertion]]:
    """A page of chronic insertions, newest first, and the count of all."""
    statement = _select_chronic_insertions(visibility, *filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, await _with_insertions(session, visibility, rows, base_url)


async def fetch_chronic_insertion(
    session: ReadSession, visibility: Visibility, chronic_insertion_id: UUID, base_url: str
) -> ChronicInsertion:
    """One chronic insertion. Raises NotFound."""
    statement = _select_chronic_insertions(visibility, ActionRow.id == chronic_insertion_id)
    rows = (await session.execute(statement)).mappings().all()
    if not rows:
        raise NotFound(f"There is no chronic-insertion {chronic_insertion_id}.")
    [chronic] = await _with_insertions(session, visibility, rows, base_url)
    return chronic


async def fetch_serials(session: ReadSession, chronic_insertion_id: UUID) -> set[str]:
    """The serial numbers of the insertions of a chronic insertion."""
    return set(
        await session.scalars(
            sa.select(InsertionRow.serial).where(
                InsertionRow.chronic_insertion_id == chronic_insertion_id, InsertionRow.deleted_at.is_(None)
            )
        )
    )

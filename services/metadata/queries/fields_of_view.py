"""Fields of view: as visible as their session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import AnySession, ReadSession
from libs.common.db.conditions import Condition, any_of
from libs.common.db.json_pages import per_caller
from libs.common.db.pages import fetch_page
from libs.common.db.prepared import fetch_rows
from libs.common.problem import NotFound, UnknownReference
from libs.common.published import DATASETS, table
from libs.common.schemas.fields_of_view import FieldOfView
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, FieldOfViewRow, LabRow, SubjectRow, VocabularyRow
from services.metadata.queries import visible
from services.metadata.queries.fov_locations import fetch_locations_of_fields_of_view
from services.metadata.queries.list_filters.datasets import is_of_field_of_view
from services.metadata.queries.list_filters.fields_of_view import FieldOfViewFilters
from services.metadata.queries.subselects import ids_of


@per_caller
def _select_fields_of_view(visibility: Visibility) -> sa.Select[Any]:
    dataset = table(DATASETS)
    is_shown = dataset.c.public if visibility.public_only else sa.true()
    datasets = sa.select(dataset.c.id).where(is_of_field_of_view(dataset), is_shown).order_by(dataset.c.id)
    columns: list[Any] = [
        FieldOfViewRow.id,
        VocabularyRow.name.label("imaging_type"),
        FieldOfViewRow.name,
        FieldOfViewRow.json,
        FieldOfViewRow.session_id.label("session"),
        FieldOfViewRow.stack_id.label("stack"),
        ids_of(datasets).label("datasets"),
    ]
    return (
        sa.select(*columns)
        .join(ActionRow, ActionRow.id == FieldOfViewRow.session_id)
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .join(LabRow, LabRow.id == ActionRow.lab_id, isouter=True)
        .join(VocabularyRow, VocabularyRow.id == FieldOfViewRow.imaging_type_id, isouter=True)
        .where(FieldOfViewRow.deleted_at.is_(None), SubjectRow.deleted_at.is_(None))
        .where(visible.is_session_visible(visibility))
        .order_by(ActionRow.start_at.desc(), FieldOfViewRow.name, FieldOfViewRow.id)
    )


async def _with_locations(session: AnySession, rows: Sequence[Mapping[str, Any]]) -> list[FieldOfView]:
    locations = await fetch_locations_of_fields_of_view(session, [row["id"] for row in rows])
    return [FieldOfView.model_validate({**row, "location": locations.get(row["id"], [])}) for row in rows]


async def list_fields_of_view(
    session: ReadSession, visibility: Visibility, filters: FieldOfViewFilters, paging: PageRequest
) -> tuple[int, list[FieldOfView]]:
    """A page of fields of view, latest session first, then by name; and the count of all."""
    statement = _select_fields_of_view(visibility).where(*filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, await _with_locations(session, rows)


async def fetch_field_of_view(session: ReadSession, visibility: Visibility, fov_id: UUID) -> FieldOfView:
    """One field of view. Raises NotFound."""
    fields_of_view = await _fetch(session, visibility, FieldOfViewRow.id == fov_id)
    if not fields_of_view:
        raise NotFound(f"There is no field-of-view {fov_id}.")
    return fields_of_view[0]


async def fetch_fields_of_view_of_session(
    session: AnySession, visibility: Visibility, session_id: UUID
) -> list[FieldOfView]:
    """All fields of view of a session, by name."""
    return await _fetch(session, visibility, FieldOfViewRow.session_id == session_id)


async def fetch_slices(
    session: ReadSession, visibility: Visibility, stack_ids: Collection[UUID]
) -> Mapping[UUID | None, Sequence[FieldOfView]]:
    """The fields of view of imaging stacks, by name."""
    slices = defaultdict[UUID | None, list[FieldOfView]](list)
    if stack_ids:
        for fov in await _fetch(session, visibility, FieldOfViewRow.stack_id == any_of(stack_ids)):
            slices[fov.stack].append(fov)
    return slices


async def _fetch(session: AnySession, visibility: Visibility, condition: Condition) -> list[FieldOfView]:
    return await _with_locations(
        session, await fetch_rows(session, _select_fields_of_view(visibility), [condition])
    )


async def exists_field_of_view(session: ReadSession, session_id: UUID, name: str) -> bool:
    """Whether a session has a field of view of that name."""
    fov = sa.exists().where(
        FieldOfViewRow.session_id == session_id,
        FieldOfViewRow.name == name,
        FieldOfViewRow.deleted_at.is_(None),
    )
    return bool(await session.scalar(sa.select(fov)))


async def check_datasets_of_session(
    session: ReadSession, visibility: Visibility, session_id: UUID, dataset_ids: Sequence[UUID]
) -> None:
    """Raises UnknownReference for an id of no dataset of the session, or of none that the caller can see."""
    dataset = table(DATASETS)
    is_shown = dataset.c.public if visibility.public_only else sa.true()
    known = set(
        await session.scalars(
            sa.select(dataset.c.id).where(
                dataset.c.id == any_of(dataset_ids), dataset.c.session_id == session_id, is_shown
            )
        )
    )
    for dataset_id in dataset_ids:
        if dataset_id not in known:
            raise UnknownReference("datasets", dataset_id, key="pk")

"""Imaging stacks: as visible as the session of their slices."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import any_of
from libs.common.db.pages import fetch_page
from libs.common.problem import NotFound, UnknownReference
from libs.common.schemas.imaging_stacks import ImagingStack, ImagingStackListed
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.metadata.models import FieldOfViewRow, ImagingStackRow
from services.metadata.queries import visible
from services.metadata.queries.fields_of_view import fetch_slices
from services.metadata.queries.list_filters.imaging_stacks import ImagingStackFilters

Shown = TypeVar("Shown", bound=ImagingStackListed)


def _select_stacks(visibility: Visibility) -> sa.Select[Any]:
    return (
        sa.select(ImagingStackRow.id, ImagingStackRow.name, ImagingStackRow.json)
        .where(visible.is_imaging_stack_visible(visibility))
        .order_by(ImagingStackRow.name, ImagingStackRow.id)
    )


async def _with_slices(
    session: ReadSession, visibility: Visibility, rows: Sequence[Mapping[str, Any]], kind: type[Shown]
) -> list[Shown]:
    slices = await fetch_slices(session, visibility, [row["id"] for row in rows])
    return [kind.model_validate({**row, "slices": slices.get(row["id"], [])}) for row in rows]


async def list_imaging_stacks(
    session: ReadSession, visibility: Visibility, filters: ImagingStackFilters, paging: PageRequest
) -> tuple[int, list[ImagingStackListed]]:
    """A page of imaging stacks by name, and the count of all."""
    statement = _select_stacks(visibility).where(*filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, await _with_slices(session, visibility, rows, ImagingStackListed)


async def fetch_imaging_stack(session: ReadSession, visibility: Visibility, stack_id: UUID) -> ImagingStack:
    """One imaging stack. Raises NotFound."""
    statement = _select_stacks(visibility).where(ImagingStackRow.id == stack_id)
    rows = (await session.execute(statement)).mappings().all()
    if not rows:
        raise NotFound(f"There is no imaging-stack {stack_id}.")
    [stack] = await _with_slices(session, visibility, rows, ImagingStack)
    return stack


async def lock_imaging_stack(session: WriteSession, visibility: Visibility, stack_id: UUID) -> None:
    """Lock the stack that a body names. Raises UnknownReference unless the caller can see it."""
    statement = sa.select(ImagingStackRow.id).where(
        ImagingStackRow.id == stack_id, visible.is_imaging_stack_visible(visibility)
    )
    if await session.scalar(statement.with_for_update(of=ImagingStackRow)) is None:
        raise UnknownReference("stack", stack_id, key="pk")


async def lock_stacks_of_fields_of_view(session: WriteSession, fov_ids: Collection[UUID]) -> None:
    """Lock the stacks of fields of view: no request adds slices to them until the end of the transaction."""
    named = sa.select(FieldOfViewRow.stack_id).where(FieldOfViewRow.id == any_of(fov_ids))
    statement = (
        sa.select(ImagingStackRow.id).where(ImagingStackRow.id.in_(named)).order_by(ImagingStackRow.id)
    )
    await session.execute(statement.with_for_update())


async def exists_slice_of_other_session(
    session: ReadSession, stack_id: UUID, session_id: UUID, *, other_than: UUID
) -> bool:
    """Whether a stack has another slice that is of another session."""
    fov = sa.exists().where(
        FieldOfViewRow.stack_id == stack_id,
        FieldOfViewRow.session_id != session_id,
        FieldOfViewRow.id != other_than,
        FieldOfViewRow.deleted_at.is_(None),
    )
    return bool(await session.scalar(sa.select(fov)))


async def exists_stack_of_several_sessions(session: ReadSession, fov_ids: Collection[UUID]) -> bool:
    """Whether the slices of a stack of these fields of view are of more than one session."""
    named = sa.select(FieldOfViewRow.stack_id).where(FieldOfViewRow.id == any_of(fov_ids))
    several = (
        sa.select(FieldOfViewRow.stack_id)
        .where(FieldOfViewRow.stack_id.in_(named), FieldOfViewRow.deleted_at.is_(None))
        .group_by(FieldOfViewRow.stack_id)
        .having(sa.func.count(sa.distinct(FieldOfViewRow.session_id)) > 1)
    )
    return bool(await session.scalar(sa.select(several.exists())))

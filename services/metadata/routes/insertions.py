"""Probes in sessions."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import like, paged, uuid_of
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, Record, page
from libs.common.schemas.experiments import (
    Insertion,
    InsertionIn,
)
from libs.common.schemas.pages import Paging
from libs.common.visibility import Visibility
from services.metadata.models import InsertionRow
from services.metadata.operations import insertions as operations
from services.metadata.queries import house
from services.metadata.queries import sessions as queries
from services.metadata.queries.django_filters import given
from services.metadata.queries.list_filters import sessions as search
from services.metadata.routes.shapes import dataset, insertion

router = APIRouter(route_class=IdempotentRoute, tags=["sessions"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


class InsertionSearch(Record):
    """What insertions can be searched by."""

    atlas_acronym: str | None = None
    atlas_id: str | None = None
    atlas_name: str | None = None
    dataset_qc_lte: str | None = None
    dataset_types: str | None = None
    datasets: str | None = None
    date: str | None = None
    django: str | None = None
    experiment_number: str | None = None
    id: str | None = None
    lab: str | None = None
    model: str | None = None
    name: str | None = None
    project: str | None = None
    serial: str | None = None
    session: str | None = None
    subject: str | None = None
    tag: str | None = None
    task_protocol: str | None = None


def _conditions(seen: Visibility, asked: InsertionSearch) -> list[Any]:
    of_session = ("subject", "lab", "project", "task_protocol")
    of_files = ("datasets", "dataset_types", "dataset_qc_lte", "tag")
    of_regions = ("atlas_acronym", "atlas_id", "atlas_name")
    wanted = {name: found for name in of_session + of_files + of_regions if (found := getattr(asked, name))}
    if asked.experiment_number:
        wanted["number"] = asked.experiment_number
    if asked.date:
        wanted["date_range"] = f"{asked.date},{asked.date}"
    found = [*given(seen, "insertions", asked.django), *search.conditions(seen, wanted, queries.of_probe)]
    if asked.name:
        found.append(InsertionRow.name == asked.name)
    if asked.session:
        found.append(InsertionRow.session_id == uuid_of("session", asked.session))
    if asked.id:
        found.append(InsertionRow.id == uuid_of("id", asked.id))
    if asked.model:
        found.append(InsertionRow.model == asked.model)
    if asked.serial:
        found.append(like(InsertionRow.serial, asked.serial))
    return found


@router.get("/insertions")
async def list_insertions(
    request: Request, seen: Sees, read: Reading, wanted: Paging, asked: Annotated[InsertionSearch, Query()]
) -> Page[Insertion]:
    """Insertions, latest session first."""
    statement = queries.insertions(seen).where(*_conditions(seen, asked))
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [insertion(request, row) for row in rows])


@router.post("/insertions", status_code=201, responses=REFUSALS)
async def create_insertion(request: Request, new: InsertionIn, by: Editor, seen: Sees, tx: Tx) -> Insertion:
    """Write a probe of a session down."""
    return await _saved(request, tx, seen, await operations.save_insertion(tx, by, seen, new))


@router.get("/insertions/{insertion_id}", responses=problems(NotFound))
async def read_insertion(request: Request, insertion_id: UUID, seen: Sees, read: Reading) -> Insertion:
    """One insertion, with its datasets on servers."""
    return await _detail(request, read, seen, insertion_id)


@router.put("/insertions/{insertion_id}", responses=REFUSALS)
async def update_insertion(
    request: Request, insertion_id: UUID, body: InsertionIn, by: Editor, seen: Sees, tx: Tx
) -> Insertion:
    """Change a probe; absent fields keep their value."""
    return await _saved(request, tx, seen, await operations.save_insertion(tx, by, seen, body, insertion_id))


@router.patch("/insertions/{insertion_id}", responses=REFUSALS)
async def patch_insertion(
    request: Request, insertion_id: UUID, body: InsertionIn, by: Editor, seen: Sees, tx: Tx
) -> Insertion:
    """Change a probe."""
    return await update_insertion(request, insertion_id, body, by, seen, tx)


@router.delete("/insertions/{insertion_id}", status_code=204, responses=REFUSALS)
async def delete_insertion(insertion_id: UUID, by: Editor, seen: Sees, tx: Tx) -> Response:
    """Take a probe out of sight."""
    await operations.delete_insertion(tx, by, seen, insertion_id)
    return Response(status_code=204)


async def _saved(request: Request, tx: Any, seen: Visibility, which: UUID) -> Insertion:
    await tx.session.flush()
    return await _detail(request, tx.session, seen, which)


async def _detail(request: Request, read: AsyncSession, seen: Visibility, which: UUID) -> Insertion:
    row = await house.one(read, queries.insertions(seen), InsertionRow.id == which)
    if row is None:
        raise NotFound(f"There is no insertion {which}.")
    mine = set(row["datasets"])
    found = await queries.datasets_on_servers(read, seen, row["session"])
    return insertion(request, row, [dataset(request, row, one) for one in found if one["id"] in mine])

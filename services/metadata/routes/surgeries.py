"""Surgeries and water restrictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import days_of, paged
from libs.common.problem import BadRequest, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.experiments import Surgery, SurgeryIn, WaterRestriction, WaterRestrictionIn
from libs.common.schemas.pages import Paging
from services.metadata.models import ActionRow, LabRow, SubjectRow
from services.metadata.operations import actions as operations
from services.metadata.queries import house
from services.metadata.queries import sessions as queries
from services.metadata.queries.django_filters import given

router = APIRouter(route_class=IdempotentRoute, tags=["actions"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, NotFound)
RESTRICTION, SURGERY = "water-restriction", "surgery"
Filter = Annotated[str | None, Query()]


def _surgery(row: Mapping[str, Any]) -> Surgery:
    relations = {"lab": row["lab_id"], "location": row["location_id"]}
    people = {"users": row["user_ids"], "procedures": row["procedure_ids"]}
    return Surgery.model_validate({**row, **relations, **people, "name": ""})


@router.get("/water-restriction")
async def list_restrictions(
    request: Request,
    seen: Sees,
    read: Reading,
    wanted: Paging,
    subject: Filter = None,
    nickname: Filter = None,
    lab: Filter = None,
    date_range: Filter = None,
    django: Filter = None,
) -> Page[WaterRestriction]:
    """Water restrictions, open ones first."""
    statement = queries.actions(seen, RESTRICTION).where(*given(seen, "water-restriction", django))
    if name := subject or nickname:
        statement = statement.where(SubjectRow.nickname == name)
    if lab:
        statement = statement.where(LabRow.name == lab)
    if date_range:
        statement = statement.where(ActionRow.day.between(*days_of("date_range", date_range)))
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [WaterRestriction.model_validate(row) for row in rows])


@router.post("/water-restriction", status_code=201, responses=REFUSALS)
async def create_restriction(new: WaterRestrictionIn, by: Editor, seen: Sees, tx: Tx) -> WaterRestriction:
    """Begin a water restriction."""
    which = await operations.save_restriction(tx, by, seen, new)
    await tx.session.flush()
    found = await house.one(tx.session, queries.actions(seen, RESTRICTION), ActionRow.id == which)
    return WaterRestriction.model_validate(found)


@router.patch("/water-restriction/{restriction_id}", responses=REFUSALS)
async def patch_restriction(
    restriction_id: UUID, body: WaterRestrictionIn, by: Editor, seen: Sees, tx: Tx
) -> WaterRestriction:
    """Change a water restriction; `end_time` ends it."""
    await operations.save_restriction(tx, by, seen, body, restriction_id)
    await tx.session.flush()
    found = await house.one(tx.session, queries.actions(seen, RESTRICTION), ActionRow.id == restriction_id)
    return WaterRestriction.model_validate(found)


@router.get("/surgeries")
async def list_surgeries(
    request: Request,
    seen: Sees,
    read: Reading,
    wanted: Paging,
    subject: Filter = None,
    nickname: Filter = None,
    lab: Filter = None,
    date_range: Filter = None,
    django: Filter = None,
) -> Page[Surgery]:
    """Surgeries, newest first."""
    statement = queries.actions(seen, SURGERY).where(*given(seen, "surgeries", django))
    if name := subject or nickname:
        statement = statement.where(SubjectRow.nickname == name)
    if lab:
        statement = statement.where(LabRow.name == lab)
    if date_range:
        statement = statement.where(ActionRow.day.between(*days_of("date_range", date_range)))
    statement = statement.order_by(None).order_by(ActionRow.start_at.desc(), ActionRow.id)
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [_surgery(row) for row in rows])


@router.post("/surgeries", status_code=201, responses=REFUSALS)
async def create_surgery(new: SurgeryIn, by: Editor, seen: Sees, tx: Tx) -> Surgery:
    """Write a surgery down."""
    which = await operations.save_surgery(tx, by, seen, new)
    await tx.session.flush()
    return _surgery(await house.one(tx.session, queries.actions(seen, SURGERY), ActionRow.id == which))


@router.get("/surgeries/{surgery_id}", responses=problems(NotFound))
async def read_surgery(surgery_id: UUID, seen: Sees, read: Reading) -> Surgery:
    """One surgery."""
    row = await house.one(read, queries.actions(seen, SURGERY), ActionRow.id == surgery_id)
    if row is None:
        raise NotFound(f"There is no surgery {surgery_id}.")
    return _surgery(row)


@router.put("/surgeries/{surgery_id}", responses=REFUSALS)
async def update_surgery(surgery_id: UUID, body: SurgeryIn, by: Editor, seen: Sees, tx: Tx) -> Surgery:
    """Change a surgery; absent fields keep their value."""
    await operations.save_surgery(tx, by, seen, body, surgery_id)
    await tx.session.flush()
    return _surgery(await house.one(tx.session, queries.actions(seen, SURGERY), ActionRow.id == surgery_id))


@router.patch("/surgeries/{surgery_id}", responses=REFUSALS)
async def patch_surgery(surgery_id: UUID, body: SurgeryIn, by: Editor, seen: Sees, tx: Tx) -> Surgery:
    """Change a surgery."""
    return await update_surgery(surgery_id, body, by, seen, tx)

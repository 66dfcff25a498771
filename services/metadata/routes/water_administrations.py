"""Weights and water."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import number_of, on_days, paged, truth_of, uuid_of
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.colony import (
    WaterAdministration,
    WaterAdministrationIn,
    Weighing,
    WeighingIn,
)
from libs.common.schemas.pages import Paging
from libs.common.visibility import Visibility
from services.metadata.models import (
    LabRow,
    SubjectRow,
    UserRow,
    WaterAdministrationRow,
    WeighingRow,
)
from services.metadata.operations import water_administrations as operations
from services.metadata.queries import house
from services.metadata.queries import subjects as queries
from services.metadata.queries.django_filters import given

router = APIRouter(route_class=IdempotentRoute, tags=["colony"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)
Filter = Annotated[str | None, Query()]


def weighing(request: Request, row: Mapping[str, Any]) -> Weighing:
    return Weighing.model_validate({**row, "url": absolute(request, f"/weighings/{row['id']}")})


def water_given(request: Request, row: Mapping[str, Any]) -> WaterAdministration:
    url = absolute(request, f"/water-administrations/{row['id']}")
    return WaterAdministration.model_validate({**row, "url": url})


def _of_animals(
    statement: sa.Select[Any],
    when: Any,
    *,
    nickname: str | None,
    lab: str | None,
    user: str | None,
    days: str | None,
) -> sa.Select[Any]:
    if nickname:
        statement = statement.where(SubjectRow.nickname == nickname)
    if lab:
        statement = statement.where(LabRow.name == lab)
    if user:
        statement = statement.where(UserRow.username == user)
    if days:
        statement = statement.where(on_days(when, days))
    return statement


@router.get("/weighings")
async def list_weighings(
    request: Request,
    seen: Sees,
    read: Reading,
    wanted: Paging,
    nickname: Filter = None,
    subject: Filter = None,
    lab: Filter = None,
    user: Filter = None,
    date_range: Filter = None,
    weight: Filter = None,
    django: Filter = None,
) -> Page[Weighing]:
    """Weighings, newest first."""
    statement = _of_animals(
        queries.weighings(seen).where(*given(seen, "weighings", django)),
        WeighingRow.date_time,
        nickname=nickname or subject,
        lab=lab,
        user=user,
        days=date_range,
    )
    if weight:
        statement = statement.where(WeighingRow.weight == number_of("weight", weight))
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [weighing(request, row) for row in rows])


@router.post("/weighings", status_code=201, responses=REFUSALS)
async def create_weighing(request: Request, new: WeighingIn, by: Editor, seen: Sees, tx: Tx) -> Weighing:
    """Write a weighing down."""
    which = await operations.add_weighing(tx, by, seen, new)
    await tx.session.flush()
    return weighing(request, await house.one(tx.session, queries.weighings(seen), WeighingRow.id == which))


@router.get("/weighings/{weighing_id}", responses=problems(NotFound))
async def read_weighing(request: Request, weighing_id: UUID, seen: Sees, read: Reading) -> Weighing:
    """One weighing."""
    row = await house.one(read, queries.weighings(seen), WeighingRow.id == weighing_id)
    if row is None:
        raise NotFound(f"There is no weighing {weighing_id}.")
    return weighing(request, row)


@router.delete("/weighings/{weighing_id}", status_code=204, responses=REFUSALS)
async def delete_weighing(weighing_id: UUID, by: Editor, seen: Sees, tx: Tx) -> Response:
    """Take a weighing out of sight."""
    await operations.delete_of_animal(tx, by, seen, WeighingRow, weighing_id, "weighing")
    return Response(status_code=204)


@router.get("/water-administrations")
async def list_waters(
    request: Request,
    seen: Sees,
    read: Reading,
    wanted: Paging,
    nickname: Filter = None,
    subject: Filter = None,
    lab: Filter = None,
    user: Filter = None,
    session: Filter = None,
    adlib: Filter = None,
    water_type: Filter = None,
    water_administered: Filter = None,
    date_range: Filter = None,
    django: Filter = None,
) -> Page[WaterAdministration]:
    """Water given, newest first."""
    statement = _of_animals(
        queries.waters(seen).where(*given(seen, "water-administrations", django)),
        WaterAdministrationRow.date_time,
        nickname=nickname or subject,
        lab=lab,
        user=user,
        days=date_range,
    )
    if session:
        statement = statement.where(queries.water_in_session(seen, uuid_of("session", session)))
    if water_type:
        statement = statement.where(queries.WaterType.name == water_type)
    if water_administered:
        amount = number_of("water_administered", water_administered)
        statement = statement.where(WaterAdministrationRow.water_administered == amount)
    if adlib and (free := truth_of(adlib)) is not None:
        statement = statement.where(WaterAdministrationRow.adlib.is_(free))
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [water_given(request, row) for row in rows])


@router.post("/water-administrations", status_code=201, responses=REFUSALS)
async def create_water(
    request: Request, new: WaterAdministrationIn, by: Editor, seen: Sees, tx: Tx
) -> WaterAdministration:
    """Write down water that an animal got."""
    return await _saved_water(request, new, by, seen, tx, None)


@router.get("/water-administrations/{water_id}", responses=problems(NotFound))
async def read_water(request: Request, water_id: UUID, seen: Sees, read: Reading) -> WaterAdministration:
    """One water administration."""
    row = await house.one(read, queries.waters(seen), WaterAdministrationRow.id == water_id)
    if row is None:
        raise NotFound(f"There is no water administration {water_id}.")
    return water_given(request, row)


@router.put("/water-administrations/{water_id}", responses=REFUSALS)
async def update_water(
    request: Request, water_id: UUID, body: WaterAdministrationIn, by: Editor, seen: Sees, tx: Tx
) -> WaterAdministration:
    """Change what was written; absent fields keep their value."""
    return await _saved_water(request, body, by, seen, tx, water_id)


@router.patch("/water-administrations/{water_id}", responses=REFUSALS)
async def patch_water(
    request: Request, water_id: UUID, body: WaterAdministrationIn, by: Editor, seen: Sees, tx: Tx
) -> WaterAdministration:
    """Change what was written."""
    return await _saved_water(request, body, by, seen, tx, water_id)


async def _saved_water(
    request: Request, body: WaterAdministrationIn, by: Any, seen: Visibility, tx: Any, water_id: UUID | None
) -> WaterAdministration:
    which = await operations.save_water(tx, by, seen, body, water_id)
    await tx.session.flush()
    return water_given(
        request, await house.one(tx.session, queries.waters(seen), WaterAdministrationRow.id == which)
    )


@router.delete("/water-administrations/{water_id}", status_code=204, responses=REFUSALS)
async def delete_water(water_id: UUID, by: Editor, seen: Sees, tx: Tx) -> Response:
    """Take a water administration out of sight."""
    await operations.delete_of_animal(tx, by, seen, WaterAdministrationRow, water_id, "water administration")
    return Response(status_code=204)

"""Animals, lines and litters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import paged, truth_of
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.colony import (
    Line,
    LineIn,
    Litter,
    LitterIn,
    RestrictedSubject,
    Subject,
    SubjectDetail,
    SubjectIn,
)
from libs.common.schemas.pages import Paging
from libs.common.visibility import Visibility
from services.metadata import domain
from services.metadata.models import (
    LabRow,
    LineRow,
    LitterRow,
    ProjectRow,
    SubjectProjectRow,
    SubjectRow,
    UserRow,
    WaterAdministrationRow,
    WeighingRow,
)
from services.metadata.operations import subjects as operations
from services.metadata.operations.welfare import with_standing
from services.metadata.queries import house, visible
from services.metadata.queries import subjects as queries
from services.metadata.queries.django_filters import given
from services.metadata.routes.water_administrations import water_given, weighing

router = APIRouter(route_class=IdempotentRoute, tags=["colony"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)
Filter = Annotated[str | None, Query()]


def _shown(request: Request, row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "url": absolute(request, f"/subjects/{row['nickname']}")}


@router.get("/subjects")
async def list_subjects(
    request: Request,
    seen: Sees,
    read: Reading,
    wanted: Paging,
    nickname: Filter = None,
    lab: Filter = None,
    responsible_user: Filter = None,
    project: Filter = None,
    projects: Filter = None,
    alive: Filter = None,
    stock: Filter = None,
    water_restricted: Filter = None,
    sex: Filter = None,
    line: Filter = None,
    django: Filter = None,
) -> Page[Subject]:
    """Animals by nickname."""
    statement = queries.subjects(seen).where(*given(seen, "subjects", django))
    equal = (
        (SubjectRow.nickname, nickname),
        (LabRow.name, lab),
        (UserRow.username, responsible_user),
        (SubjectRow.sex, sex),
        (LineRow.name, line),
    )
    statement = statement.where(*(column == value for column, value in equal if value))
    if name := project or projects:
        member = (
            SubjectProjectRow.subject_id == SubjectRow.id,
            SubjectProjectRow.project_id == ProjectRow.id,
        )
        statement = statement.where(
            sa.exists().where(*member, ProjectRow.name == name, visible.projects(seen))
        )
    if alive and (wanted_alive := truth_of(alive)) is not None:
        statement = statement.where(queries.alive() if wanted_alive else ~queries.alive())
    if stock and (wanted_stock := truth_of(stock)) is not None:
        keeper = UserRow.is_stock_manager.is_(True)
        statement = statement.where(keeper if wanted_stock else ~keeper)
    if water_restricted and (restricted := truth_of(water_restricted)) is not None:
        open_one = queries.open_restriction()
        statement = statement.where(queries.alive(), open_one if restricted else ~open_one)
    count, rows = await paged(read, statement, wanted)
    told = await with_standing(read, rows)
    for row in told:  # a list tells zygosities as texts, a detail as records
        row["genotype"] = [f"{z['allele']} {domain.ZYGOSITIES[z['zygosity']]}" for z in row["genotype"]]
    return page(request, wanted, count, [Subject.model_validate(_shown(request, row)) for row in told])


@router.get("/water-restricted-subjects")
async def list_restricted(
    request: Request, seen: Sees, read: Reading, wanted: Paging
) -> Page[RestrictedSubject]:
    """Animals under a restriction that has no end."""
    count, rows = await paged(read, queries.subjects(seen).where(queries.open_restriction()), wanted)
    told = await with_standing(read, rows)
    results = [RestrictedSubject.model_validate(_shown(request, row)) for row in told]
    return page(request, wanted, count, results)


@router.post("/subjects", status_code=201, responses=REFUSALS)
async def create_subject(request: Request, new: SubjectIn, by: Editor, seen: Sees, tx: Tx) -> SubjectDetail:
    """Write an animal down."""
    which = await operations.save_subject(tx, by, seen, new)
    return await _subject(request, tx.session, seen, SubjectRow.id == which)


@router.get("/subjects/{nickname}", responses=problems(NotFound))
async def read_subject(request: Request, nickname: str, seen: Sees, read: Reading) -> SubjectDetail:
    """One animal, with its weights and water."""
    return await _subject(request, read, seen, SubjectRow.nickname == nickname)


@router.put("/subjects/{nickname}", responses=REFUSALS)
async def update_subject(
    request: Request, nickname: str, body: SubjectIn, by: Editor, seen: Sees, tx: Tx
) -> SubjectDetail:
    """Change an animal; absent fields keep their value."""
    which = await operations.save_subject(tx, by, seen, body, nickname)
    return await _subject(request, tx.session, seen, SubjectRow.id == which)


@router.patch("/subjects/{nickname}", responses=REFUSALS)
async def patch_subject(
    request: Request, nickname: str, body: SubjectIn, by: Editor, seen: Sees, tx: Tx
) -> SubjectDetail:
    """Change an animal."""
    return await update_subject(request, nickname, body, by, seen, tx)


@router.delete("/subjects/{nickname}", status_code=204, responses=REFUSALS)
async def delete_subject(nickname: str, by: Editor, seen: Sees, tx: Tx) -> Response:
    """Take an animal without sessions out of sight."""
    await operations.delete_subject(tx, by, seen, nickname)
    return Response(status_code=204)


async def _subject(request: Request, read: AsyncSession, seen: Visibility, condition: Any) -> SubjectDetail:
    row = await house.one(
        read, queries.subjects(seen).order_by(None).order_by(SubjectRow.created_at.desc()), condition
    )
    if row is None:
        raise NotFound("There is no such subject, or it is not for you to see.")
    told = _shown(request, (await with_standing(read, [row]))[0])
    mine = row["id"]
    weights = await read.execute(queries.weighings(seen).where(WeighingRow.subject_id == mine))
    waters = await read.execute(queries.waters(seen).where(WaterAdministrationRow.subject_id == mine))
    told["weighings"] = [weighing(request, found) for found in weights.mappings()]
    told["water_administrations"] = [water_given(request, found) for found in waters.mappings()]
    return SubjectDetail.model_validate(told)


@router.get("/lines")
async def list_lines(request: Request, seen: Sees, read: Reading, wanted: Paging) -> Page[Line]:
    """Breeding lines by name."""
    count, rows = await paged(read, queries.lines(seen), wanted)
    return page(request, wanted, count, [Line.model_validate(row) for row in rows])


@router.post("/lines", status_code=201, responses=REFUSALS)
async def create_line(new: LineIn, by: Editor, seen: Sees, tx: Tx) -> Line:
    """Write a breeding line down."""
    name = await operations.add_line(tx, by, new)
    return Line.model_validate(await house.one(tx.session, queries.lines(seen), LineRow.name == name))


@router.get("/litters")
async def list_litters(request: Request, seen: Sees, read: Reading, wanted: Paging) -> Page[Litter]:
    """Litters by name."""
    count, rows = await paged(read, queries.litters(seen), wanted)
    return page(request, wanted, count, [Litter.model_validate(row) for row in rows])


@router.post("/litters", status_code=201, responses=REFUSALS)
async def create_litter(new: LitterIn, by: Editor, seen: Sees, tx: Tx) -> Litter:
    """Write a litter down."""
    name = await operations.add_litter(tx, by, new)
    await tx.session.flush()
    return Litter.model_validate(await house.one(tx.session, queries.litters(seen), LitterRow.name == name))

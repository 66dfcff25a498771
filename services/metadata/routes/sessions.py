"""Sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import paged
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, Record, absolute, page
from libs.common.schemas.experiments import (
    QC_NAMES,
    Session,
    SessionDetail,
    SessionIn,
    SessionWater,
)
from libs.common.schemas.pages import Paging
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, InsertionRow
from services.metadata.operations import sessions as operations
from services.metadata.queries import house
from services.metadata.queries import sessions as queries
from services.metadata.queries.django_filters import given
from services.metadata.queries.list_filters import sessions as search
from services.metadata.routes.shapes import dataset, insertion, naive

router = APIRouter(route_class=IdempotentRoute, tags=["sessions"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)
Filter = Annotated[str | None, Query()]


class SessionSearch(Record):
    """What sessions can be searched by. Clients accept any start of these names that only one of them has."""

    atlas_acronym: str | None = None
    atlas_id: str | None = None
    atlas_name: str | None = None
    dataset_qc_lte: str | None = None
    dataset_types: str | None = None
    datasets: str | None = None
    date_range: str | None = None
    django: str | None = None
    end_time: str | None = None
    extended_qc: str | None = None
    histology: str | None = None
    id: str | None = None
    json_: str | None = Field(default=None, alias="json")
    lab: str | None = None
    location: str | None = None
    n_correct_trials: str | None = None
    n_trials: str | None = None
    narrative: str | None = None
    nickname: str | None = None
    number: str | None = None
    parent_session: str | None = None
    performance_gte: str | None = None
    performance_lte: str | None = None
    procedures: str | None = None
    project: str | None = None
    projects: str | None = None
    qc: str | None = None
    start_time: str | None = None
    subject: str | None = None
    tag: str | None = None
    task_protocol: str | None = None
    type: str | None = None
    users: str | None = None


def _session(request: Request, row: Mapping[str, Any]) -> Session:
    return Session.model_validate({**row, "url": absolute(request, f"/sessions/{row['id']}")})


@router.get("/sessions")
async def list_sessions(
    request: Request, seen: Sees, read: Reading, wanted: Paging, asked: Annotated[SessionSearch, Query()]
) -> Page[Session]:
    """Sessions, newest first."""
    statement = queries.sessions(seen).where(
        *given(seen, "sessions", asked.django, json=asked.json_, extended_qc=asked.extended_qc),
        *search.conditions(seen, asked.model_dump(exclude_none=True)),
    )
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [_session(request, row) for row in rows])


@router.post("/sessions", status_code=201, responses=REFUSALS)
async def create_session(
    request: Request, response: Response, new: SessionIn, by: Editor, seen: Sees, tx: Tx
) -> SessionDetail:
    """Write a session down. A notice tells when its subject has another one of that day and number."""
    which, others = await operations.create_session(tx, by, seen, new)
    if others:
        response.headers["Alyx-API-Notice"] = (
            f"!!!{others} other session(s) of this subject have the same date and number"
        )
    return await _detail(request, tx.session, seen, which)


@router.get("/sessions/{session_id}", responses=problems(NotFound))
async def read_session(request: Request, session_id: UUID, seen: Sees, read: Reading) -> SessionDetail:
    """One session with its datasets, water, insertions."""
    return await _detail(request, read, seen, session_id)


@router.put("/sessions/{session_id}", responses=REFUSALS)
async def update_session(
    request: Request, session_id: UUID, body: SessionIn, by: Editor, seen: Sees, tx: Tx
) -> SessionDetail:
    """Change a session; absent fields keep their value."""
    await operations.update_session(tx, by, seen, session_id, body)
    await tx.session.flush()
    return await _detail(request, tx.session, seen, session_id)


@router.patch("/sessions/{session_id}", responses=REFUSALS)
async def patch_session(
    request: Request, session_id: UUID, body: SessionIn, by: Editor, seen: Sees, tx: Tx
) -> SessionDetail:
    """Change a session."""
    return await update_session(request, session_id, body, by, seen, tx)


@router.delete("/sessions/{session_id}", status_code=204, responses=REFUSALS)
async def delete_session(session_id: UUID, by: Editor, seen: Sees, tx: Tx) -> Response:
    """Take a session out of sight, with all that hangs on it."""
    await operations.delete_session(tx, by, seen, session_id)
    return Response(status_code=204)


async def _detail(request: Request, read: AsyncSession, seen: Visibility, which: UUID) -> SessionDetail:
    row = await house.one(read, queries.session_details(seen), ActionRow.id == which)
    if row is None:
        raise NotFound(f"There is no session {which}.")
    probes = await read.execute(queries.insertions(seen).where(InsertionRow.session_id == which))
    parent = row["parent_session_id"]
    return SessionDetail.model_validate(
        {
            **row,
            "url": absolute(request, f"/sessions/{which}"),
            "parent_session": absolute(request, f"/sessions/{parent}") if parent else None,
            "qc": QC_NAMES[row["qc"]],
            "auto_datetime": naive(row["auto_datetime"]),
            "wateradmin_session_related": [
                SessionWater.model_validate(water)
                for water in await queries.water_of_session(read, seen, which)
            ],
            "data_dataset_session_related": [
                dataset(request, row, found) for found in await queries.datasets_on_servers(read, seen, which)
            ],
            "probe_insertion": [insertion(request, probe) for probe in probes.mappings()],
            "field_of_view": [],
            "notes": [],
        }
    )

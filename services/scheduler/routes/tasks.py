"""Alyx's `/tasks`: the same rows in Alyx's contract, so that ibllib's runner works unmodified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import paged, uuid_of
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.published import REPOSITORIES, table
from libs.common.schemas import Page, page
from libs.common.schemas.jobs import Task, TaskIn
from libs.common.schemas.pages import Paging
from libs.common.schemas.states import JobState
from libs.common.visibility import Visibility
from services.scheduler import queries
from services.scheduler.models import JobRow
from services.scheduler.operations import steering
from services.scheduler.queries.django_filters import free_filter

router = APIRouter(route_class=IdempotentRoute, tags=["tasks"])
REFUSALS = problems(BadRequest, Forbidden, NotFound, Conflict)
REPOSITORY = table(REPOSITORIES)
Filter = Annotated[str | None, Query()]


def _tasks(who: Visibility) -> Any:
    return (
        queries.jobs(who)
        .add_columns(REPOSITORY.c.name.label("data_repository"))
        .join(REPOSITORY, REPOSITORY.c.id == JobRow.data_repository_id, isouter=True)
    )


def _task(row: Mapping[str, Any]) -> Task:
    arguments = json.loads(row["arguments"]) if row["arguments"] else None
    if row["probe"]:
        arguments = {"pname": row["probe"]}
    return Task.model_validate(
        {
            **row,
            "session": row["session_id"],
            "status": JobState(row["state"]).alyx_name,
            "name": row["task"],
            "log": row["log"] or row["reason"] or None,
            "datetime": row["created_at"].astimezone(UTC).replace(tzinfo=None).isoformat(),
            "arguments": arguments,
        }
    )


@router.get("/tasks")
async def list_tasks(
    request: Request,
    who: Sees,
    read: Reading,
    wanted: Paging,
    status: Filter = None,
    session: Filter = None,
    name: Filter = None,
    lab: Filter = None,
    graph: Filter = None,
    level: Filter = None,
    priority: Filter = None,
    gpu: Filter = None,
    cpu: Filter = None,
    ram: Filter = None,
    data_repository: Filter = None,
    parents: Filter = None,
    version: Filter = None,
    executable: Filter = None,
    id: Filter = None,  # noqa: A002 - Alyx's name
    django: Filter = None,
) -> Page[Task]:
    """Tasks, by level, priority, latest session."""
    statement = _tasks(who)
    if status:
        wanted_state = steering.status_of(status)
        shown = [s.value for s in JobState if s.alyx_name == wanted_state.alyx_name]
        statement = statement.where(JobRow.state.in_(shown))
    for column, field, text in (
        (JobRow.session_id, "session", session),
        (JobRow.id, "id", id),
    ):
        if text:
            statement = statement.where(column == uuid_of(field, text))
    if parents:
        statement = statement.where(JobRow.parents.contains([uuid_of("parents", parents)]))
    for text_column, value in (
        (JobRow.task, name),
        (queries.SESSION.c.lab, lab),
        (JobRow.graph, graph),
        (REPOSITORY.c.name, data_repository),
        (JobRow.version, version),
        (JobRow.executable, executable),
    ):
        if value:
            statement = statement.where(text_column == value)
    numbers = {"level": level, "priority": priority, "gpu": gpu, "cpu": cpu, "ram": ram}
    for field, said in numbers.items():
        if said:
            if not (said.isascii() and said.isdigit() and len(said) < 10):
                raise BadRequest(fields={field: [f"'{said}' is not a whole number."]})
            statement = statement.where(getattr(JobRow, field) == int(said))
    statement = statement.where(*free_filter(who, django))
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [_task(row) for row in rows])


@router.post("/tasks", status_code=201, responses=REFUSALS)
async def create_task(new: TaskIn, by: Editor, who: Sees, tx: Tx) -> Task:
    """Write a task down, as a legacy pipeline does."""
    return await _read(tx.session, who, await steering.create_task(tx, by, who, new))


@router.get("/tasks/{task_id}", responses=problems(NotFound))
async def read_task(task_id: UUID, who: Sees, read: Reading) -> Task:
    """One task."""
    return await _read(read, who, task_id)


@router.put("/tasks/{task_id}", responses=REFUSALS)
async def update_task(task_id: UUID, body: TaskIn, by: Editor, who: Sees, tx: Tx) -> Task:
    """Change a task; absent fields keep their value."""
    await steering.update_task(tx, by, who, task_id, body)
    await tx.session.flush()
    return await _read(tx.session, who, task_id)


@router.patch("/tasks/{task_id}", responses=REFUSALS)
async def patch_task(task_id: UUID, body: TaskIn, by: Editor, who: Sees, tx: Tx) -> Task:
    """Change a task, as a legacy runner does with its status and log."""
    return await update_task(task_id, body, by, who, tx)


@router.delete("/tasks/{task_id}", status_code=204, responses=REFUSALS)
async def delete_task(task_id: UUID, by: Editor, who: Sees, tx: Tx) -> Response:
    """Remove a task that does not run."""
    await steering.delete_task(tx, by, who, task_id)
    return Response(status_code=204)


async def _read(read: AsyncSession, who: Visibility, task_id: UUID) -> Task:
    row = await queries.one(read, _tasks(who), JobRow.id == task_id)
    if row is None:
        raise NotFound(f"There is no task {task_id}.")
    return _task(row)

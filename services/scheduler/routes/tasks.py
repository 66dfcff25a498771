"""Alyx's `/tasks`: the same rows as jobs, in Alyx's contract, so that ibllib's runner works unmodified."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page
from libs.common.schemas.pages import Paging, json_page
from libs.common.schemas.tasks import Task, TaskIn
from services.scheduler.operations import tasks as operations
from services.scheduler.queries import tasks as queries
from services.scheduler.queries.list_filters import TaskFilters
from services.scheduler.routes.context import Context

router = APIRouter(route_class=IdempotentRoute, tags=["tasks"])
REFUSALS = problems(BadRequest, Forbidden, NotFound, Conflict)


@router.get("/tasks", response_model=Page[Task])
async def list_tasks(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[TaskFilters, Query()],
    context: Context,
) -> Response:
    """List tasks by level, priority and latest session."""
    rows = await queries.list_tasks(session, filters, visibility, paging, derived=context.lists_derived)
    return json_page(request, paging, rows)


@router.post("/tasks", status_code=201, responses=REFUSALS)
async def create_task(body: TaskIn, by: Editor, visibility: Sees, tx: Tx, context: Context) -> Task:
    """Create a task."""
    return await operations.create_task(tx, context, by, visibility, body)


@router.get("/tasks/{task_id}", responses=problems(NotFound))
async def read_task(task_id: UUID, visibility: Sees, session: Reading) -> Task:
    """Read a task."""
    return await operations.read_task(session, visibility, task_id)


@router.put("/tasks/{task_id}", responses=REFUSALS)
@router.patch("/tasks/{task_id}", responses=REFUSALS)
async def update_task(
    task_id: UUID, body: TaskIn, by: Editor, visibility: Sees, tx: Tx, context: Context
) -> Task:
    """Update a task; absent fields keep their value."""
    return await operations.update_task(tx, context, by, visibility, task_id, body)


@router.delete("/tasks/{task_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_task(task_id: UUID, by: Editor, visibility: Sees, tx: Tx, options: Deleting) -> Response:
    """Delete a task that is not running; undo within 30 days."""
    return deleted(
        options, await operations.delete_task(tx, by, visibility, task_id, dry_run=options.dry_run)
    )

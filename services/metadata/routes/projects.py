"""Projects. Signed-in users read those that they may see, administrators write."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from libs.common.auth import Admin, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.projects import Project, ProjectIn
from services.metadata.operations import projects as operations
from services.metadata.queries import projects as queries

router = APIRouter(route_class=IdempotentRoute, tags=["projects"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


@router.get("/projects")
async def list_projects(
    request: Request, visibility: Sees, session: Reading, paging: Paging
) -> Page[Project]:
    """List projects by name; private ones only for their users."""
    count, projects = await queries.list_projects(session, visibility, paging)
    return page(request, paging, count, projects)


@router.post("/projects", status_code=201, responses=REFUSALS)
async def create_project(new: ProjectIn, _by: Admin, visibility: Sees, tx: Tx) -> Project:
    """Create a project."""
    name = await operations.create_project(tx, new)
    return await queries.fetch_project(tx.session, visibility, name)


@router.get("/projects/{name}")
async def read_project(name: str, visibility: Sees, session: Reading) -> Project:
    """Read a project."""
    return await queries.fetch_project(session, visibility, name)


@router.patch("/projects/{name}", responses=REFUSALS)
@router.put("/projects/{name}", responses=REFUSALS)
async def update_project(name: str, body: ProjectIn, _by: Admin, visibility: Sees, tx: Tx) -> Project:
    """Update a project; absent fields keep their value."""
    name = await operations.update_project(tx, name, body)
    return await queries.fetch_project(tx.session, visibility, name)


@router.delete("/projects/{name}", status_code=204, responses=REFUSALS | DELETED)
async def delete_project(name: str, by: Admin, visibility: Sees, tx: Tx, options: Deleting) -> Response:
    """Delete (soft) a project; undo within 30 days."""
    return deleted(
        options, await operations.delete_project(tx, by, visibility, name, dry_run=options.dry_run)
    )

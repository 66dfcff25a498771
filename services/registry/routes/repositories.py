"""Repositories and their types. All users read; administrators write."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Admin, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.files.repositories import Repository, RepositoryIn
from libs.common.schemas.pages import Paging
from services.registry.operations import repositories as operations
from services.registry.queries import repositories as queries
from services.registry.queries.list_filters.vocabularies import RepositoryFilters
from services.registry.routes.vocabularies import REPOSITORY_TYPES, add_routes

router = APIRouter(route_class=IdempotentRoute, tags=["repositories"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


@router.get("/data-repository")
async def list_repositories(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[RepositoryFilters, Query()],
) -> Page[Repository]:
    """List repositories by name."""
    conditions = filters.conditions(visibility)
    count, repositories = await queries.list_repositories(session, conditions, paging, absolute(request, ""))
    return page(request, paging, count, repositories)


@router.post("/data-repository", status_code=201, responses=REFUSALS)
async def create_repository(request: Request, new: RepositoryIn, _by: Admin, tx: Tx) -> Repository:
    """Create a repository; with `store` it is managed."""
    return await operations.save_repository(tx, new, absolute(request, ""))


@router.get("/data-repository/{name}", responses=problems(NotFound))
async def read_repository(request: Request, name: str, _visibility: Sees, session: Reading) -> Repository:
    """Read a repository."""
    return await queries.fetch_repository(session, name, absolute(request, ""))


@router.put("/data-repository/{name}", responses=REFUSALS)
@router.patch("/data-repository/{name}", responses=REFUSALS)
async def update_repository(
    request: Request, name: str, body: RepositoryIn, _by: Admin, tx: Tx
) -> Repository:
    """Update a repository; absent fields keep their value."""
    return await operations.save_repository(tx, body, absolute(request, ""), name)


@router.delete("/data-repository/{name}", status_code=204, responses=REFUSALS | DELETED)
async def delete_repository(name: str, _by: Admin, tx: Tx, options: Deleting) -> Response:
    """Delete a repository that never had a copy; undo within 30 days."""
    return deleted(options, await operations.delete_repository(tx, name, dry_run=options.dry_run))


add_routes(router, REPOSITORY_TYPES)

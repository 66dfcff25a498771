"""Repositories: where files lie. Everybody reads; administrators write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from libs.common.auth import Admin, Reader
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import paged, truth_of, uuid_of
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.files.repositories import Repository, RepositoryIn, RepositoryType, RepositoryTypeIn
from libs.common.schemas.pages import Paging
from services.registry.models import RepositoryRow, RepositoryTypeRow
from services.registry.operations import vocabularies as operations
from services.registry.queries import vocabularies as queries
from services.registry.routes.shapes import address_of

router = APIRouter(route_class=IdempotentRoute, tags=["repositories"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


def _repository(request: Request, row: Mapping[str, Any]) -> Repository:
    return Repository.model_validate({**row, "data_url": address_of(request, row["data_url"])})


def _kind(request: Request, row: Mapping[str, Any]) -> RepositoryType:
    return RepositoryType.model_validate(
        {**row, "url": absolute(request, f"/data-repository-type/{row['name']}")}
    )


@router.get("/data-repository")
async def list_repositories(
    request: Request,
    _by: Reader,
    read: Reading,
    wanted: Paging,
    name: str | None = None,
    globus_is_personal: str | None = None,
    globus_endpoint_id: str | None = None,
) -> Page[Repository]:
    """Repositories by name."""
    statement = queries.repositories()
    if name:
        statement = statement.where(RepositoryRow.name == name)
    if globus_is_personal and (personal := truth_of(globus_is_personal)) is not None:
        statement = statement.where(RepositoryRow.globus_is_personal.is_(personal))
    if globus_endpoint_id:
        wanted_id = uuid_of("globus_endpoint_id", globus_endpoint_id)
        statement = statement.where(RepositoryRow.globus_endpoint_id == wanted_id)
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [_repository(request, row) for row in rows])


@router.post("/data-repository", status_code=201, responses=REFUSALS)
async def create_repository(request: Request, new: RepositoryIn, _by: Admin, tx: Tx) -> Repository:
    """Write a repository down; with `store` it is managed."""
    name = await operations.save_repository(tx, new)
    return _repository(request, await queries.one(tx.session, queries.repositories(), RepositoryRow, name))


@router.get("/data-repository/{name}", responses=problems(NotFound))
async def read_repository(request: Request, name: str, _by: Reader, read: Reading) -> Repository:
    """One repository."""
    return _repository(request, await queries.one(read, queries.repositories(), RepositoryRow, name))


@router.put("/data-repository/{name}", responses=REFUSALS)
async def update_repository(
    request: Request, name: str, body: RepositoryIn, _by: Admin, tx: Tx
) -> Repository:
    """Change a repository; absent fields keep their value."""
    name = await operations.save_repository(tx, body, name)
    return _repository(request, await queries.one(tx.session, queries.repositories(), RepositoryRow, name))


@router.patch("/data-repository/{name}", responses=REFUSALS)
async def patch_repository(request: Request, name: str, body: RepositoryIn, by: Admin, tx: Tx) -> Repository:
    """Change a repository."""
    return await update_repository(request, name, body, by, tx)


@router.delete("/data-repository/{name}", status_code=204, responses=REFUSALS)
async def delete_repository(name: str, _by: Admin, tx: Tx) -> Response:
    """Remove a repository that never held a copy."""
    await operations.delete(tx, RepositoryRow, name)
    return Response(status_code=204)


@router.get("/data-repository-type")
async def list_repository_types(
    request: Request, _by: Reader, read: Reading, wanted: Paging, name: str | None = None
) -> Page[RepositoryType]:
    """Kinds of repository by name."""
    statement = queries.all_of(RepositoryTypeRow)
    if name:
        statement = statement.where(RepositoryTypeRow.name == name)
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [_kind(request, row) for row in rows])


@router.post("/data-repository-type", status_code=201, responses=REFUSALS)
async def create_repository_type(
    request: Request, new: RepositoryTypeIn, _by: Admin, tx: Tx
) -> RepositoryType:
    """Write a kind of repository down."""
    name = await operations.save(tx, RepositoryTypeRow, new)
    return _kind(
        request, await queries.one(tx.session, queries.all_of(RepositoryTypeRow), RepositoryTypeRow, name)
    )


@router.get("/data-repository-type/{name}", responses=problems(NotFound))
async def read_repository_type(request: Request, name: str, _by: Reader, read: Reading) -> RepositoryType:
    """One kind of repository."""
    return _kind(request, await queries.one(read, queries.all_of(RepositoryTypeRow), RepositoryTypeRow, name))


@router.put("/data-repository-type/{name}", responses=REFUSALS)
async def update_repository_type(
    request: Request, name: str, body: RepositoryTypeIn, _by: Admin, tx: Tx
) -> RepositoryType:
    """Change a kind of repository; absent fields keep their value."""
    name = await operations.save(tx, RepositoryTypeRow, body, name)
    return _kind(
        request, await queries.one(tx.session, queries.all_of(RepositoryTypeRow), RepositoryTypeRow, name)
    )


@router.patch("/data-repository-type/{name}", responses=REFUSALS)
async def patch_repository_type(
    request: Request, name: str, body: RepositoryTypeIn, by: Admin, tx: Tx
) -> RepositoryType:
    """Change a kind of repository."""
    return await update_repository_type(request, name, body, by, tx)


@router.delete("/data-repository-type/{name}", status_code=204, responses=REFUSALS)
async def delete_repository_type(name: str, _by: Admin, tx: Tx) -> Response:
    """Remove a kind of repository that nothing uses."""
    await operations.delete(tx, RepositoryTypeRow, name)
    return Response(status_code=204)

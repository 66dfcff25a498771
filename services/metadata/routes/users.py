"""Users and the caller's own account. Signed-in users read them, administrators write."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Admin, Reader, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.users import Me, User, UserIn
from services.metadata.operations import users as operations
from services.metadata.operations.scopes import scope_texts
from services.metadata.queries import users as queries
from services.metadata.queries.list_filters.users import UserFilters

router = APIRouter(route_class=IdempotentRoute, tags=["users"])


REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


@router.get("/me")
async def me(by: Reader, session: Reading) -> Me:
    """Read the caller's own account and the scopes of the token in use."""
    account = await queries.find_account_by_id(session, by.user_id)
    if account is None:
        raise NotFound
    stored = None if by.scopes is None else sorted(str(scope) for scope in by.scopes)
    (scopes,) = await scope_texts(session, by, [stored])
    values = {name: getattr(account, name) for name in Me.model_fields if name != "scopes"}
    return Me.model_validate(values | {"scopes": scopes})


@router.get("/users")
async def list_users(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[UserFilters, Query()],
) -> Page[User]:
    """List users by username. Only administrators and the user see, and filter by, an e-mail address."""
    count, users = await queries.list_users(session, visibility, filters, paging)
    return page(request, paging, count, users)


@router.post("/users", status_code=201, responses=REFUSALS)
async def create_user(request: Request, new: UserIn, by: Admin, visibility: Sees, tx: Tx) -> User:
    """Create a user. With a password, the user can sign in."""
    username = await operations.create_user(tx, request.app.state.sign_ins.hashing, by, new)
    return await queries.fetch_user(tx.session, visibility, username)


@router.get("/users/{username}")
async def read_user(username: str, visibility: Sees, session: Reading) -> User:
    """Read a user."""
    return await queries.fetch_user(session, visibility, username)


@router.patch("/users/{username}", responses=REFUSALS)
@router.put("/users/{username}", responses=REFUSALS)
async def update_user(
    request: Request, username: str, body: UserIn, by: Admin, visibility: Sees, tx: Tx
) -> User:
    """Update a user; absent fields keep their value, and a new password signs the user out everywhere."""
    hashing = request.app.state.sign_ins.hashing
    username = await operations.update_user(tx, hashing, by, visibility, username, body)
    return await queries.fetch_user(tx.session, visibility, username)


@router.delete("/users/{username}", status_code=204, responses=REFUSALS | DELETED)
async def delete_user(username: str, by: Admin, visibility: Sees, tx: Tx, options: Deleting) -> Response:
    """Delete (soft) a user; records keep the username; undo within 30 days."""
    return deleted(
        options, await operations.delete_user(tx, by, visibility, username, dry_run=options.dry_run)
    )

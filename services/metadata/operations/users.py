"""Users: create, update, delete, and the first administrator."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.db import Transaction, rows
from libs.common.db.links import set_links
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.names import check_new_plain_name
from libs.common.schemas.users import UserIn
from libs.common.visibility import Visibility
from services.metadata.domain.bodies import check_not_sent, required
from services.metadata.domain.password import password_problem
from services.metadata.domain.users import (
    check_stays_administrator,
    check_user_deletable,
    check_username_free,
)
from services.metadata.models import UserRow
from services.metadata.operations.deletions import delete_row
from services.metadata.operations.hashing import PasswordHashing
from services.metadata.operations.password import end_sign_ins, set_password
from services.metadata.operations.relations import DELEGATES
from services.metadata.queries import references
from services.metadata.queries import users as queries

OWN_ADDRESS: Final = "the service itself"
_OF_SUBJECTS: Final = "Change `responsible_user` of the subjects."
_STORED: Final = StoredFields(UserIn, UserRow, handled={"allowed_users", "password", "subjects_responsible"})


class BadAdminPassword(ValueError):
    """The password of the first administrator is refused; the message has the reason."""


async def create_user(tx: Transaction, hashing: PasswordHashing, by: Principal, body: UserIn) -> str:
    """Create a user, who can sign in if the body has a password; returns the username."""
    values = _STORED.values(body)
    username = required(body.username, "username")
    check_not_sent("subjects_responsible", body.subjects_responsible, _OF_SUBJECTS)
    check_new_plain_name("username", username)
    await _check_username(tx, username)
    user = UserRow(id=uuid4(), **values)
    await rows.create_row(tx, "user", user, values)
    if body.password is not None:
        await set_password(tx, hashing, by, user, body.password)
    await _set_delegates(tx, user, body)
    return username


async def update_user(
    tx: Transaction,
    hashing: PasswordHashing,
    by: Principal,
    visibility: Visibility,
    username: str,
    body: UserIn,
) -> str:
    """Update a user; returns the id as text. A new password signs the user out everywhere.

    Raises NotFound, and Conflict for the last administrator who would be none.
    """
    if False in {body.is_superuser, body.is_active}:
        await queries.lock_administrators(tx.session)
    user = await rows.lock_by_name(tx.session, UserRow, username, column=UserRow.username)
    if body.subjects_responsible is not None:
        shown = await queries.fetch_user(tx.session, visibility, str(user.id))
        changed = set(body.subjects_responsible) ^ set(shown.subjects_responsible)
        check_not_sent("subjects_responsible", changed, _OF_SUBJECTS)
    if body.username is not None and body.username != user.username:
        check_new_plain_name("username", body.username)
        await _check_username(tx, body.username, except_id=user.id)
    check_stays_administrator(
        is_last_administrator=await _is_last_administrator(tx, user),
        is_superuser=body.is_superuser,
        is_active=body.is_active,
    )
    await rows.update_row(tx, "user", user, _STORED.values(body))
    if body.password is not None:
        await set_password(tx, hashing, by, user, body.password)
        await end_sign_ins(tx, user)
    await _set_delegates(tx, user, body)
    return str(user.id)


async def _check_username(tx: Transaction, username: str, *, except_id: UUID | None = None) -> None:
    await rows.refuse_duplicate(tx.session, UserRow.username, username, except_id=except_id)
    is_of_deleted_user = await queries.exists_username(tx.session, username)
    check_username_free(username, is_of_deleted_user=is_of_deleted_user)


async def _set_delegates(tx: Transaction, user: UserRow, body: UserIn) -> None:
    if body.allowed_users is not None:
        ids = await references.fetch_ids(tx.session, UserRow, body.allowed_users, "allowed_users")
        await set_links(tx, DELEGATES, "user", user.id, ids)


async def delete_user(
    tx: Transaction, by: Principal, visibility: Visibility, username: str, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a user with the memberships.

    Raises NotFound, and Conflict for the caller's own account and for the last administrator.
    """
    await queries.lock_administrators(tx.session)
    user = await rows.lock_by_name(tx.session, UserRow, username, column=UserRow.username)
    check_user_deletable(user.id, by, is_last_administrator=await _is_last_administrator(tx, user))
    named = {"username": user.username}
    return await delete_row(tx, by, visibility, "user", user, dry_run=dry_run, before=named)


async def _is_last_administrator(tx: Transaction, user: UserRow) -> bool:
    return (
        user.is_superuser
        and user.is_active
        and not await queries.exists_other_administrator(tx.session, user.id)
    )


async def create_first_administrator(
    tx: Transaction, hashing: PasswordHashing, username: str, password: str
) -> None:
    """Create the administrator of a system without users. Raises BadAdminPassword."""
    if await queries.exists_user(tx.session):
        return
    if problem := password_problem(password, username):
        raise BadAdminPassword(f"CINGULUM_ADMIN_PASSWORD is refused. {problem}")
    values: dict[str, Any] = {"username": username, "is_superuser": True}
    password_hash = await hashing.hash(password, OWN_ADDRESS)
    user = UserRow(id=uuid4(), password_hash=password_hash, is_staff=True, **values)
    await rows.create_row(tx, "user", user, values)

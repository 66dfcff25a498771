"""Rules of users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from libs.common.permissions import Principal, acts_as_owner
from libs.common.problem import BadRequest, Conflict, Forbidden

_LAST: Final = "This is the last active administrator: make another user administrator first."


@dataclass(frozen=True, slots=True)
class Account:
    """What signing in needs of a user."""

    id: UUID
    username: str
    email: str
    password_hash: str | None
    token_generation: int
    is_active: bool
    is_superuser: bool
    is_stock_manager: bool
    is_public_user: bool


def check_username_free(username: str, *, is_of_deleted_user: bool) -> None:
    """Raise Conflict for the name of a deleted user: audit rows keep naming that person."""
    if is_of_deleted_user:
        text = (
            f"'{username}' is the name of a deleted user, whose audit records keep it: choose another name."
        )
        raise Conflict(fields={"username": [text]})


def check_user_deletable(user_id: UUID, by: Principal, *, is_last_administrator: bool) -> None:
    """Raise Conflict for the caller's own account, and for the last administrator, which would lock all users out."""
    if user_id == by.user_id:
        raise Conflict("You cannot delete your own account: another administrator has to.")
    if is_last_administrator:
        raise Conflict(_LAST)


def check_stays_administrator(
    *, is_last_administrator: bool, is_superuser: bool | None, is_active: bool | None
) -> None:
    """Raise Conflict for the last administrator who would be none afterwards, which would lock all users out.

    >>> check_stays_administrator(is_last_administrator=True, is_superuser=None, is_active=True)
    >>> check_stays_administrator(is_last_administrator=False, is_superuser=False, is_active=None)
    """
    ended = {"is_superuser": is_superuser, "is_active": is_active}
    if is_last_administrator and False in ended.values():
        raise Conflict(fields={name: [_LAST] for name, value in ended.items() if value is False})


def check_sets_password_of_other(user_id: UUID, by: Principal) -> None:
    """Raise BadRequest for an administrator's own account.

    Without the old password, anyone at an administrator's unlocked browser could take the account over.
    """
    if user_id == by.user_id:
        text = "Change your own password with POST /password, which requires the current one."
        raise BadRequest(fields={"password": [text]})


def check_owns_sign_in(by: Principal) -> None:
    """Raise Forbidden for a shared account and for a narrowed token: neither changes how a user signs in."""
    if by.is_public:
        raise Forbidden("This account is shared: an administrator changes how it signs in.")
    if not acts_as_owner(by):
        raise Forbidden("The token in use is narrowed: sign in with your password.")

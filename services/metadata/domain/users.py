"""Rules of users."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from libs.common.permissions import Principal, acts_as_owner
from libs.common.problem import BadRequest, Conflict, Forbidden


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
        raise Conflict("This is the last active administrator: make another user administrator first.")


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

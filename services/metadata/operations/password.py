"""Changing a password, by its owner or by an administrator, and ending the sign-ins that it invalidates."""

from __future__ import annotations

from datetime import UTC, datetime

from libs.common.db import Begin, Transaction
from libs.common.permissions import Principal
from libs.common.problem import BadRequest
from services.metadata.domain.password import check_new_password
from services.metadata.domain.users import check_owns_sign_in, check_sets_password_of_other
from services.metadata.models import UserRow
from services.metadata.operations.hashing import PasswordHashing
from services.metadata.operations.sign_in import BadCredentials, SignIns, lock_checked
from services.metadata.operations.tokens import revoke_login_tokens
from services.metadata.queries.browser_sessions import end_browser_sessions
from services.metadata.queries.tokens import revoke_personal_tokens


async def set_password(
    tx: Transaction, hashing: PasswordHashing, by: Principal, user: UserRow, password: str
) -> None:
    """Set another user's password, as an administrator. Raises BadRequest, HashingQueueFull."""
    check_sets_password_of_other(user.id, by)
    check_new_password(password, user.username)
    user.password_hash = await hashing.hash(password, by.address or str(by.user_id))
    tx.audit("user.password-set", "user", user.id)


async def change_password(
    begin: Begin,
    sign_ins: SignIns,
    by: Principal,
    address: str,
    old: str,
    new: str,
    *,
    keep_tokens: bool,
) -> None:
    """Change the caller's own password. Raises BadRequest, Forbidden, SignInLater, HashingQueueFull.

    A wrong old password counts as a failed sign-in, so that guessing it at an unlocked browser is not faster.
    """
    check_owns_sign_in(by)
    check_new_password(new, by.username, "new_password")
    if old == new:
        raise BadRequest(fields={"new_password": ["This is the current password: choose another one."]})
    try:
        checked, _ = await sign_ins.check(by.username, old, address)
        hashed = await sign_ins.hashing.hash(new, address)
        async with begin() as tx:
            user = await lock_checked(tx, checked)
            user.password_hash = hashed
            tx.audit("user.password-changed", "user", user.id)
            await end_sign_ins(tx, user, keep_tokens=keep_tokens)
    except BadCredentials:
        raise BadRequest(fields={"old_password": ["The password is incorrect."]}) from None


async def end_sign_ins(tx: Transaction, user: UserRow, *, keep_tokens: bool = False) -> None:
    """End a user's browser sessions and log-in token, and revoke the personal tokens unless they are kept."""
    await revoke_login_tokens(tx, user)
    await end_browser_sessions(tx.session, user.id)
    if not keep_tokens:
        await revoke_personal_tokens(tx.session, user.id, datetime.now(UTC))

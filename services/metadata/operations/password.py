"""Changing a password, by its owner or by an administrator, and what ends with it."""

from __future__ import annotations

from datetime import UTC, datetime

from libs.common.db import Begin, Transaction
from libs.common.permissions import Principal
from libs.common.problem import BadRequest
from services.metadata.domain.passwords import password_problem
from services.metadata.models import UserRow
from services.metadata.operations.browser_sessions import check_whole
from services.metadata.operations.hashing import PasswordHashing
from services.metadata.operations.identity import raise_generation
from services.metadata.operations.sign_in import BadCredentials, SignIns, lock_checked
from services.metadata.queries import browser_sessions
from services.metadata.queries import identity as people


def check_new_password(password: str, username: str, field: str = "password") -> None:
    """Raise BadRequest for a password that is too short, or among those that are tried first."""
    if problem := password_problem(password, username):
        raise BadRequest(fields={field: [problem]})


async def set_password(
    tx: Transaction, hashing: PasswordHashing, by: Principal, user: UserRow, password: str
) -> None:
    """Give somebody else a password, as an administrator does. Raises BadRequest, SignInsWait."""
    if user.id == by.user_id:  # who finds an administrator's browser open must not take the account over
        raise BadRequest(fields={"password": ["Change your own with the old one: POST /password."]})
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
    """Change one's own password. Raises BadRequest, Forbidden, SignInLater, SignInsWait.

    A wrong old password counts as a failed sign-in: who sits down at a browser that was left open guesses no faster.
    """
    check_whole(by)
    check_new_password(new, by.username, "new_password")
    if old == new:
        raise BadRequest(fields={"new_password": ["This is the old password: choose another one."]})
    try:
        checked, _ = await sign_ins.check(by.username, old, address)
        hashed = await sign_ins.hashing.hash(new, address)
        async with begin() as tx:
            user = await lock_checked(tx, checked)
            user.password_hash = hashed
            tx.audit("user.password-changed", "user", user.id)
            await end_sign_ins(tx, user, keep_tokens=keep_tokens)
    except BadCredentials:
        raise BadRequest(fields={"old_password": ["This is not your password."]}) from None


async def end_sign_ins(tx: Transaction, user: UserRow, *, keep_tokens: bool = False) -> None:
    """End whatever a person is signed in with: browsers, the log-in token, and personal tokens unless kept."""
    await raise_generation(tx, user)
    await browser_sessions.end(tx.session, user.id)
    if not keep_tokens:
        await people.revoke_personal(tx.session, user.id, datetime.now(UTC))

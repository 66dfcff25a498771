"""Signing in, tokens, the first administrator."""

from __future__ import annotations

import asyncio
import json
import secrets
from datetime import UTC, datetime
from functools import cache
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from libs.common.db import Database, Transaction
from libs.common.permissions import BadScope, Principal, Scope, may, may_hand_on
from libs.common.problem import BadRequest, Forbidden, NotFound
from services.metadata import domain
from services.metadata.models import TokenRow, UserRow
from services.metadata.queries import identity as people

_hasher = PasswordHasher()


class BadCredentials(BadRequest):
    """400, as Alyx: the clients turn it into "authentication failed"."""

    slug = "bad-credentials"

    def __init__(self) -> None:
        super().__init__(fields={"non_field_errors": ["Unable to log in with provided credentials."]})


async def hash_password(password: str) -> str:
    """argon2id in a thread: it takes tens of milliseconds by design."""
    return await asyncio.to_thread(_hasher.hash, password)


@cache
def _nobody() -> str:
    """What is verified when the user does not exist, so that the answer takes as long as for a wrong password."""
    return _hasher.hash(secrets.token_hex(16))


def _verify(hashed: str | None, password: str) -> bool:
    try:
        return _hasher.verify(hashed or _nobody(), password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


async def log_in(database: Database, tx: Transaction, username: str, password: str, secret: str) -> str:
    """The log-in token of the person who knows this password. Raises BadCredentials.

    While a password is looked at, which is slow by design, no connection is held: strangers must not block writes.
    """
    async with database.read() as read:
        user = await people.user_named(read, username)
    good = await asyncio.to_thread(_verify, user.password_hash if user else None, password)
    if not good or user is None or not user.is_active:
        raise BadCredentials
    token = domain.login_token(secret, user.id, user.token_generation)
    await people.keep_login_token(tx.session, uuid4(), user.id, domain.token_hash(secret, token))
    return token


async def make_first_administrator(tx: Transaction, username: str, password: str) -> None:
    """Make the administrator of a system in which there is nobody yet."""
    if not await people.is_empty(tx.session):
        return
    user = UserRow(
        id=uuid4(),
        username=username,
        password_hash=await hash_password(password),
        is_staff=True,
        is_superuser=True,
    )
    tx.session.add(user)
    tx.audit("user.created", "user", user.id, after={"username": username, "is_superuser": True})


async def make_token(
    tx: Transaction,
    by: Principal,
    secret: str,
    *,
    name: str,
    scopes: list[str],
    kind: str,
    expires_at: datetime | None,
) -> tuple[TokenRow, str]:
    """A new token and its text, which is shown this once.

    It can only narrow what its maker may do, and ends no later than the token by which it was made.
    """
    try:
        wanted = [Scope.parse(text) for text in scopes]
    except BadScope as error:
        raise BadRequest(
            fields={"scopes": [f"'{error}' is not a scope such as read or lab:<id>:register"]}
        ) from None
    if kind == "worker" and not by.is_superuser:
        raise Forbidden("Only an administrator enrols a worker.")
    for scope in wanted:
        if kind != "worker" and not may(by, scope.permission, scope.lab_id):
            raise Forbidden(f"You may not '{scope}' yourself, so no token of yours can.")
        if not may_hand_on(by, scope):
            raise Forbidden(f"The token in use does not reach as far as '{scope}': sign in by password.")
    if by.until is not None and (expires_at is None or expires_at > by.until):
        raise BadRequest(
            fields={"expires_at": [f"No later than the token in use, which ends at {by.until.isoformat()}."]}
        )
    token = secrets.token_hex(32)
    row = TokenRow(
        id=uuid4(),
        user_id=by.user_id,
        kind=kind,
        name=name,
        token_hash=domain.token_hash(secret, token),
        scopes=[str(scope) for scope in wanted],
        expires_at=expires_at,
    )
    tx.session.add(row)
    await tx.session.flush()
    await tx.session.refresh(row)
    tx.audit("token.created", "token", row.id, after={"name": name, "scopes": row.scopes})
    return row, token


async def raise_generation(tx: Transaction, user: UserRow) -> None:
    """Revoke a person's log-in token: the next log-in answers another one."""
    user.token_generation += 1
    await people.revoke_logins(tx.session, user.id, datetime.now(UTC))
    tx.audit("user.log-in-revoked", "user", user.id)


async def revoke_token(tx: Transaction, by: Principal, token_id: UUID) -> None:
    """Revoke one of one's own tokens; after that of a log-in, the next log-in answers another.

    Raises NotFound, and Forbidden for a token that reaches further than the one in use.
    """
    token = await people.lock_token(tx.session, token_id, by.user_id)
    if token is None:
        raise NotFound("You have no such token.")
    reach = [Scope.parse(text) for text in token.scopes or ()]
    if by.scopes is not None and (token.scopes is None or not all(may_hand_on(by, scope) for scope in reach)):
        raise Forbidden("The token in use does not reach as far as that one: sign in by password.")
    if token.kind == "login":
        await raise_generation(tx, await tx.session.get_one(UserRow, by.user_id))
    token.revoked_at = datetime.now(UTC)
    tx.audit("token.revoked", "token", token_id)


async def tokens_used(tx: Transaction, told: bytes) -> None:
    """The gateway counted which tokens were used over the last seconds."""
    await people.touch(tx.session, [UUID(text) for text in json.loads(told)], datetime.now(UTC))

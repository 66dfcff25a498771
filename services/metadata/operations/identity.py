"""Signing in, tokens, the first administrator."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.db import Transaction
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Forbidden, NotFound
from libs.common.scopes import Permission, Scope
from services.metadata import domain
from services.metadata.domain.passwords import password_problem
from services.metadata.models import TokenRow, UserRow
from services.metadata.operations.hashing import PasswordHashing
from services.metadata.operations.scopes import scopes_named
from services.metadata.operations.sign_in import SignIns, lock_checked
from services.metadata.queries import identity as people

OWN_ADDRESS: Final = "the service itself"
NOT_FOR_MACHINES: Final = frozenset({Permission.ADMIN, Permission.RELEASE})


class BadAdminPassword(ValueError):
    """The first administrator cannot have this password; the message says why."""


class TokenNeeded(BadRequest):
    """The password is right, but programs of this person sign in with a token."""

    slug = "token-needed"

    def __init__(self) -> None:
        text = "This account has a second factor: sign in with a personal token, which /app/account makes."
        super().__init__(fields={"non_field_errors": [text]})


async def log_in(sign_ins: SignIns, username: str, password: str, address: str) -> str:
    """The log-in token of the person who knows this password. No connection is held while it is checked.

    Raises BadCredentials, SignInLater, SignInsWait, and TokenNeeded where a password alone is not enough.
    """
    user, needs_code = await sign_ins.check(username, password, address)
    if needs_code:
        raise TokenNeeded
    token = domain.login_token(sign_ins.secret, user.id, user.token_generation)
    async with sign_ins.writer.begin() as tx:
        await lock_checked(tx, user)
        await people.keep_login_token(tx.session, uuid4(), user.id, domain.token_hash(sign_ins.secret, token))
    return token


async def make_first_administrator(
    tx: Transaction, hashing: PasswordHashing, username: str, password: str
) -> None:
    """Make the administrator of a system in which there is nobody yet. Raises BadAdminPassword."""
    if not await people.is_empty(tx.session):
        return
    if problem := password_problem(password, username):
        raise BadAdminPassword(f"CINGULUM_ADMIN_PASSWORD is not taken. {problem}")
    user = UserRow(
        id=uuid4(),
        username=username,
        password_hash=await hashing.hash(password, OWN_ADDRESS),
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

    It can only narrow what its maker may do, and ends no later than the token by which it was made, also by revoking.
    """
    wanted = await scopes_named(tx.session, by, scopes)
    if kind == "worker" and not by.is_superuser:
        raise Forbidden("Only an administrator enrols a worker.")
    if kind != "worker" and any(scope.permission is Permission.PROVE for scope in wanted):
        raise BadRequest(
            fields={"scopes": ["Only a machine proves what it holds: make its token with kind worker."]}
        )
    if kind == "worker" and any(scope.permission in NOT_FOR_MACHINES for scope in wanted):
        raise BadRequest(
            fields={"scopes": ["A machine does not administer: make a personal token that ends."]}
        )
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
        made_by_token_id=by.token_id if by.scopes is not None else None,
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


async def own_tokens(session: AsyncSession, by: Principal) -> list[TokenRow]:
    """A caller's own tokens, newest first."""
    return [token for token in await people.tokens_of(session, by.user_id) if _is_known(by, token)]


def _is_known(by: Principal, token: TokenRow) -> bool:
    """A token in use knows of no other that reaches further than itself."""
    if by.scopes is None:
        return True
    reach = [Scope.parse(text) for text in token.scopes or ()]
    return token.scopes is not None and all(
        scope in by.scopes or Scope(scope.permission) in by.scopes for scope in reach
    )


async def revoke_token(tx: Transaction, by: Principal, token_id: UUID) -> None:
    """Revoke one of one's own tokens and those made with it; after a log-in's, the next log-in answers another.

    Raises NotFound.
    """
    token = await people.lock_token(tx.session, token_id, by.user_id)
    if token is None or not _is_known(by, token):
        raise NotFound("You have no such token.")
    if token.kind == "login":
        await raise_generation(tx, await tx.session.get_one(UserRow, by.user_id))
    for revoked_id in await people.revoke_with_descendants(tx.session, token_id, datetime.now(UTC)):
        tx.audit("token.revoked", "token", revoked_id)


async def tokens_used(tx: Transaction, told: bytes) -> None:
    """The gateway counted which tokens were used over the last seconds."""
    await people.touch(tx.session, [UUID(text) for text in json.loads(told)], datetime.now(UTC))

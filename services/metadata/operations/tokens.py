"""Tokens: log in for one, create, list, revoke."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.sessions import ReadSession
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, NotFound
from services.metadata.domain.tokens import (
    check_new_token,
    is_visible_to,
    login_token,
    parent_token_id,
    token_hash,
)
from services.metadata.models import TokenRow, UserRow
from services.metadata.operations.scopes import parse_scopes
from services.metadata.operations.sign_in import SignIns, lock_checked
from services.metadata.queries import tokens as queries
from services.metadata.queries import users
from services.metadata.queries.tokens import StoredToken


class TokenNeeded(BadRequest):
    """The password is right, but programs of this user sign in with a token."""

    slug = "token-needed"

    def __init__(self) -> None:
        text = "This account has a second factor: sign in with a personal token from /app/account."
        super().__init__(fields={"non_field_errors": [text]})


async def log_in(sign_ins: SignIns, username: str, password: str, address: str) -> str:
    """The log-in token of the user with this password. No connection is held while the password is checked.

    Raises BadCredentials, SignInLater, HashingQueueFull, and TokenNeeded where a password alone is not enough.
    """
    account, needs_code = await sign_ins.check(username, password, address)
    if needs_code:
        raise TokenNeeded
    token = login_token(sign_ins.secret, account.id, account.token_generation)
    async with sign_ins.writer.begin() as tx:
        await lock_checked(tx, account)
        hashed = token_hash(sign_ins.secret, token)
        await queries.insert_login_token(tx.session, uuid4(), account.id, hashed)
    return token


async def create_token(
    tx: Transaction,
    by: Principal,
    secret: str,
    *,
    name: str,
    scopes: Sequence[str],
    kind: str,
    expires_at: datetime | None,
) -> tuple[StoredToken, str]:
    """A new token and its text, which is shown once and not stored.

    It can only narrow what its creator may do. It ends no later than the token it was created with, and is revoked
    with it. Raises BadRequest, Forbidden.
    """
    parsed = await parse_scopes(tx.session, by, scopes)
    check_new_token(by, kind, {scope.permission for scope in parsed}, expires_at)
    text = secrets.token_hex(32)
    row = TokenRow(
        id=uuid4(),
        user_id=by.user_id,
        kind=kind,
        name=name,
        token_hash=token_hash(secret, text),
        scopes=[str(scope) for scope in parsed],
        expires_at=expires_at,
        made_by_token_id=parent_token_id(by),
    )
    token = await queries.insert_token(tx.session, row)
    tx.audit("token.created", "token", token.id, after={"name": name, "scopes": token.scopes})
    return token, text


async def list_tokens(session: ReadSession, by: Principal) -> list[StoredToken]:
    """The caller's own tokens, newest first; a narrowed token sees only those that reach no further than itself."""
    tokens = await queries.list_tokens(session, by.user_id)
    return [token for token in tokens if is_visible_to(by, token.scopes)]


async def revoke_token(tx: Transaction, by: Principal, token_id: UUID) -> None:
    """Revoke one of the caller's own tokens and those created with it. Raises NotFound.

    After a log-in token is revoked, the next log-in returns another one.
    """
    token = await queries.find_and_lock_token(tx.session, token_id, by.user_id)
    if token is None or not is_visible_to(by, token.scopes):
        raise NotFound("You have no such token.")
    if token.kind == "login" and (user := await users.find_and_lock_user(tx.session, by.user_id)):
        await revoke_login_tokens(tx, user)
    for revoked_id in await queries.revoke_with_descendants(tx.session, token_id, datetime.now(UTC)):
        tx.audit("token.revoked", "token", revoked_id)


async def revoke_login_tokens(tx: Transaction, user: UserRow) -> None:
    """Revoke a user's log-in token: the next log-in returns another one."""
    user.token_generation += 1
    await queries.revoke_login_tokens(tx.session, user.id, datetime.now(UTC))
    tx.audit("user.log-in-revoked", "user", user.id)


async def update_last_used(tx: Transaction, payload: bytes) -> None:
    """Store that the tokens of these ids (a JSON list of the gateway) were used in the last seconds."""
    token_ids = [UUID(text) for text in json.loads(payload)]
    await queries.update_last_used(tx.session, token_ids, datetime.now(UTC))

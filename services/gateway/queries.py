"""Owners of tokens and browser sessions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession
from libs.common.permissions import Principal, scopes_in_force
from libs.common.published import BROWSER_SESSIONS, TOKENS, table
from libs.common.scopes import Scope


class TokenOwner(NamedTuple):
    """The owner of a token. `is_due`: the use of a browser session should be recorded."""

    token_id: UUID
    principal: Principal
    is_due: bool = False


async def find_token_owner(session: ReadSession, token_hash: str) -> TokenOwner | None:
    """The owner of a token that is valid now; None for any other."""
    tokens = table(TOKENS)
    row = (await session.execute(sa.select(tokens).where(tokens.c.token_hash == token_hash))).first()
    if row is None or (row.expires_at is not None and row.expires_at <= datetime.now(UTC)):
        return None
    scopes = None if row.scopes is None else scopes_in_force(map(Scope.parse, row.scopes), row.is_superuser)
    return TokenOwner(row.token_id, replace(_principal(row), scopes=scopes, until=row.expires_at))


async def find_browser_owner(session: ReadSession, token_hash: str) -> TokenOwner | None:
    """The owner of a browser session that has not expired; None for any other.

    Its use is recorded again when a tenth of the idle time has passed since the last time.
    """
    browsers = table(BROWSER_SESSIONS)
    statement = sa.select(browsers, sa.func.clock_timestamp().label("now"))
    row = (await session.execute(statement.where(browsers.c.token_hash == token_hash))).first()
    if row is None or row.now >= min(row.idle_until, row.expires_at):
        return None
    is_due = row.now > row.used_at + (row.idle_until - row.used_at) / 10
    return TokenOwner(row.token_id, _principal(row), is_due)


def _principal(row: sa.Row[Any]) -> Principal:
    return Principal(
        user_id=row.user_id,
        username=row.username,
        is_superuser=row.is_superuser,
        is_stock_manager=row.is_stock_manager,
        is_public=row.is_public_user,
        labs=frozenset(row.lab_ids),
        projects=frozenset(row.project_ids),
        delegators=frozenset(row.delegator_ids),
        token_id=row.token_id,
    )


async def check_tokens(session: ReadSession) -> None:
    """Raise unless tokens can be looked up."""
    await session.execute(sa.select(table(TOKENS).c.token_id).limit(1))

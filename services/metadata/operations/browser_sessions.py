"""Signing in and out with a browser."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.permissions import Principal, acts_as_owner
from libs.common.problem import Forbidden, NotFound
from services.metadata import domain
from services.metadata.models import BrowserSessionRow, UserRow
from services.metadata.queries import browser_sessions as queries
from services.metadata.queries import sign_in
from services.metadata.settings import Settings

LONGEST_BROWSER = 300


async def start(
    tx: Transaction, settings: Settings, user: UserRow, address: str, browser: str
) -> tuple[BrowserSessionRow, str]:
    """A new session of a person who was recognised, and its token, which is shown this once."""
    token = secrets.token_urlsafe(32)
    now = await sign_in.clock(tx.session)
    ends = now + timedelta(seconds=settings.browser_session_longest_s)
    row = BrowserSessionRow(
        id=uuid4(),
        user_id=user.id,
        token_hash=domain.token_hash(settings.secret_key.get_secret_value(), token),
        address=address,
        browser="".join(filter(str.isprintable, browser))[:LONGEST_BROWSER],
        created_at=now,
        used_at=now,
        idle_until=min(now + timedelta(seconds=settings.browser_session_idle_s), ends),
        expires_at=ends,
    )
    tx.session.add(row)
    tx.audit("browser-session.started", "user", user.id, after={"session": str(row.id), "address": address})
    return row, token


def check_whole(by: Principal) -> None:
    """Refuse a narrowed token and an account that many share: neither changes how a person signs in."""
    if by.is_public:
        raise Forbidden("This account is shared: an administrator changes how it signs in.")
    if not acts_as_owner(by):
        raise Forbidden("The token in use is narrowed: sign in by password.")


async def end(tx: Transaction, by: Principal, session_id: UUID) -> None:
    """End one of one's own sessions; the gateway forgets it within 5 s. Raises NotFound."""
    if session_id != by.token_id:  # to sign out, everybody may
        check_whole(by)
    if not await queries.end(tx.session, by.user_id, only=session_id):
        raise NotFound("You have no such browser session.")
    tx.audit("browser-session.ended", "user", by.user_id, after={"session": str(session_id)})


async def end_others(tx: Transaction, by: Principal) -> None:
    """End all of one's own sessions but the one in use."""
    check_whole(by)
    for ended in await queries.end(tx.session, by.user_id, but=by.token_id):
        tx.audit("browser-session.ended", "user", by.user_id, after={"session": str(ended)})


async def use(tx: Transaction, by: Principal, session_id: UUID, settings: Settings) -> None:
    """The session in use was used. Raises NotFound for any other."""
    if session_id != by.token_id:
        raise NotFound("This is not the browser session in use.")
    now = await sign_in.clock(tx.session)
    await queries.use(tx.session, session_id, now, timedelta(seconds=settings.browser_session_idle_s))

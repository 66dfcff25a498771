"""Signing browsers in and out."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.clock import fetch_now
from libs.common.permissions import Principal
from libs.common.problem import NotFound
from services.metadata.domain.tokens import token_hash
from services.metadata.domain.users import check_owns_sign_in
from services.metadata.models import BrowserSessionRow
from services.metadata.queries import browser_sessions as queries
from services.metadata.queries.browser_sessions import StoredBrowserSession
from services.metadata.settings import Settings

LONGEST_BROWSER: Final = 300  # characters of a User-Agent


async def start_browser_session(
    tx: Transaction, settings: Settings, user_id: UUID, address: str, browser: str
) -> tuple[StoredBrowserSession, str]:
    """A new session of an authenticated user, and its token, which is shown once and not stored."""
    token = secrets.token_urlsafe(32)
    now = await fetch_now(tx.session)
    expires_at = now + timedelta(seconds=settings.browser_session_longest_s)
    row = BrowserSessionRow(
        id=uuid4(),
        user_id=user_id,
        token_hash=token_hash(settings.secret_key.get_secret_value(), token),
        address=address,
        browser="".join(filter(str.isprintable, browser))[:LONGEST_BROWSER],
        created_at=now,
        used_at=now,
        idle_until=min(now + timedelta(seconds=settings.browser_session_idle_s), expires_at),
        expires_at=expires_at,
    )
    stored = await queries.insert_browser_session(tx.session, row)
    tx.audit("browser-session.started", "user", user_id, after={"session": str(row.id), "address": address})
    return stored, token


async def end_browser_session(tx: Transaction, by: Principal, browser_session_id: UUID) -> None:
    """End one of the caller's own sessions; the gateway refuses its token within 5 s. Raises NotFound, Forbidden."""
    if browser_session_id != by.token_id:  # every caller may end the session in use
        check_owns_sign_in(by)
    if not await queries.end_browser_sessions(tx.session, by.user_id, only=browser_session_id):
        raise NotFound("You have no such browser session.")
    tx.audit("browser-session.ended", "user", by.user_id, after={"session": str(browser_session_id)})


async def end_other_browser_sessions(tx: Transaction, by: Principal) -> None:
    """End all of the caller's own sessions except the one in use. Raises Forbidden."""
    check_owns_sign_in(by)
    for ended_id in await queries.end_browser_sessions(tx.session, by.user_id, but=by.token_id):
        tx.audit("browser-session.ended", "user", by.user_id, after={"session": str(ended_id)})


async def extend_browser_session(
    tx: Transaction, by: Principal, browser_session_id: UUID, settings: Settings
) -> None:
    """Restart the idle time of the session in use. Raises NotFound for any other."""
    if browser_session_id != by.token_id:
        raise NotFound("This is not the browser session in use.")
    now = await fetch_now(tx.session)
    idle = timedelta(seconds=settings.browser_session_idle_s)
    await queries.update_last_use(tx.session, browser_session_id, now, idle)

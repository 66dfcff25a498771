"""From credentials to a signed inner identity, with what was found remembered for 5 s."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.address import sign_address
from libs.common.auth import sign_identity
from libs.common.catalogue import Service
from libs.common.db.engine import Database
from libs.common.memory import Recent
from libs.common.permissions import Principal
from libs.common.problem import InvalidToken
from services.gateway import queries
from services.gateway.domain import PasswordGiven, TokenGiven
from services.gateway.settings import Settings

REMEMBERED_S: Final = 5.0
MOST: Final = 10_000
SIGNED_S: Final = 30.0  # half the life of an inner identity
STEP_S: Final = 5.0  # who changes the wall clock by more than this ends what was signed under it
LogIn = Callable[[str, str, str], Awaitable[str | None]]
Use = Callable[[Principal], Awaitable[None]]
LookUp = Callable[[AsyncSession, str], Awaitable[queries.Verdict | None]]


class Signed(NamedTuple):
    """An inner identity, and what both clocks said when it was signed."""

    token: str
    at: float
    ticks: float


class Doorman:
    """Knows callers by their credentials.

    `log_in` asks metadata for the token behind a password, from an address; `use` tells it that a browser is in use.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        log_in: LogIn,
        use: Use,
        *,
        wall: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = database
        self.log_in = log_in
        self.use = use
        self.used: set[UUID] = set()
        self._wall, self._ticks = wall, ticks
        self._secret = settings.secret_key.get_secret_value().encode()
        self._signing_key = settings.identity_signing_key.get_secret_value()
        self._verdicts: Recent[str, queries.Verdict] = Recent(MOST)
        self._browsers: Recent[str, queries.Verdict] = Recent(MOST)
        self._passwords: Recent[bytes, str] = Recent(MOST)
        self._checks: dict[bytes, asyncio.Task[str | None]] = {}  # of passwords, while they last
        self._signed: Recent[tuple[Principal, Service], Signed] = Recent(MOST)

    async def identify(self, given: TokenGiven | PasswordGiven, address: str) -> Principal:
        """Who brings these credentials, from an address. Raises InvalidToken, TooManyRequests."""
        if isinstance(given, PasswordGiven):
            verdict = await self._by_token(given.password)
            if verdict is None:
                token = await self._token_of(given, address)
                verdict = await self._by_token(token) if token else None
        elif given.by_cookie:
            return await self._by_cookie(given.token)
        else:
            verdict = await self._by_token(given.token)
        if verdict is None:
            raise InvalidToken
        self.used.add(verdict.token_id)
        return verdict.who

    async def _by_cookie(self, token: str) -> Principal:
        """Who signed in with a browser. A token of the API is none of a browser session, nor the other way round."""
        verdict = await self._verdict(token, self._browsers, queries.whose_browser)
        if verdict is None:
            raise InvalidToken
        if verdict.is_due:
            self._browsers.put(self._hash(token), verdict._replace(is_due=False), REMEMBERED_S)
            await self.use(verdict.who)
        return verdict.who

    def _pair(self, given: PasswordGiven) -> bytes:
        pair = f"{given.username}\0{given.password}".encode()
        return hmac.new(self._secret, pair, hashlib.sha256).digest()

    def _hash(self, token: str) -> str:
        return hmac.new(self._secret, token.encode(), hashlib.sha256).hexdigest()

    async def _by_token(self, token: str) -> queries.Verdict | None:
        return await self._verdict(token, self._verdicts, queries.whose)

    async def _verdict(
        self, token: str, known: Recent[str, queries.Verdict], look_up: LookUp
    ) -> queries.Verdict | None:
        if not token:
            return None
        hashed = self._hash(token)
        if verdict := known.get(hashed):
            return verdict
        async with self.database.read() as session:
            found = await look_up(session, hashed)
        # A token that is unknown now may be made in the next moment: only a found one is remembered.
        if found is not None:
            known.put(hashed, found, REMEMBERED_S)
        return found

    async def _token_of(self, given: PasswordGiven, address: str) -> str | None:
        key = self._pair(given)
        if known := self._passwords.get(key):
            return known
        check = self._checks.get(key)
        if check is None:  # a client that fetches four files at once has its password checked once
            check = self._checks[key] = asyncio.create_task(self._check_password(key, given, address))
        return await asyncio.shield(check)

    async def _check_password(self, key: bytes, given: PasswordGiven, address: str) -> str | None:
        try:
            token = await self.log_in(given.username, given.password, address)
        finally:
            del self._checks[key]
        if token is not None:
            self._passwords.put(key, token, REMEMBERED_S)
        return token

    def sign(self, who: Principal, audience: Service) -> str:
        """The inner identity of a caller for one service; signed anew when the wall clock was set meanwhile."""
        now, ticks = self._wall(), self._ticks()
        known = self._signed.get((who, audience))
        if known is not None and abs((now - known.at) - (ticks - known.ticks)) < STEP_S:
            return known.token
        signed = Signed(sign_identity(who, audience, self._signing_key, now=now), now, ticks)
        self._signed.put((who, audience), signed, SIGNED_S)
        return signed.token

    def sign_address(self, address: str, service: Service) -> str:
        """A stranger's address for one service; the portal brings it back to us."""
        audience = Service.GATEWAY if service is Service.PORTAL else service
        return sign_address(address, audience, self._signing_key, now=self._wall())


def log_in_body(username: str, password: str) -> bytes:
    """The body of metadata's `/auth-token`."""
    return json.dumps({"username": username, "password": password}).encode()

"""From credentials to a signed inner identity; results are cached for 5 s."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from uuid import UUID

from libs.common.address import sign_address
from libs.common.auth import sign_identity
from libs.common.catalogue import Service
from libs.common.db.engine import Database
from libs.common.db.sessions import ReadSession
from libs.common.memory import Recent
from libs.common.permissions import Principal
from libs.common.problem import InvalidToken
from services.gateway import queries
from services.gateway.domain import PasswordCredentials, TokenCredentials
from services.gateway.settings import Settings

CACHED_S: Final = 5.0
MAX_ENTRIES: Final = 10_000
SIGNED_S: Final = 30.0  # half the life of an inner identity
STEP_S: Final = 5.0  # after a larger step of the wall clock, identities are signed again
LogIn = Callable[[str, str, str], Awaitable[str | None]]
Use = Callable[[Principal], Awaitable[None]]
LookUp = Callable[[ReadSession, str], Awaitable[queries.TokenOwner | None]]


class Signed(NamedTuple):
    """An inner identity, and the time of both clocks when it was signed."""

    token: str
    at: float
    ticks: float


class Authenticator:
    """Identifies callers by their credentials.

    `log_in` gets the token behind a password from metadata, for an address; `record_use` records the use of a browser
    session there.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        log_in: LogIn,
        record_use: Use,
        *,
        wall: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = database
        self.log_in = log_in
        self.record_use = record_use
        self.used: set[UUID] = set()
        self._wall, self._ticks = wall, ticks
        self._secret = settings.secret_key.get_secret_value().encode()
        self._signing_key = settings.identity_signing_key.get_secret_value()
        self._tokens: Recent[str, queries.TokenOwner] = Recent(MAX_ENTRIES)
        self._browsers: Recent[str, queries.TokenOwner] = Recent(MAX_ENTRIES)
        self._passwords: Recent[bytes, str] = Recent(MAX_ENTRIES)
        self._checks: dict[bytes, asyncio.Task[str | None]] = {}  # of passwords, while they run
        self._signed: Recent[tuple[Principal, Service], Signed] = Recent(MAX_ENTRIES)

    async def identify(self, credentials: TokenCredentials | PasswordCredentials, address: str) -> Principal:
        """The principal of credentials that came from an address. Raises InvalidToken, TooManyRequests."""
        if isinstance(credentials, PasswordCredentials):
            owner = await self._owner_of(credentials.password)
            if owner is None:
                token = await self._token_of(credentials, address)
                owner = await self._owner_of(token) if token else None
        elif credentials.by_cookie:
            return await self._identify_browser(credentials.token)
        else:
            owner = await self._owner_of(credentials.token)
        if owner is None:
            raise InvalidToken
        self.used.add(owner.token_id)
        return owner.principal

    async def _identify_browser(self, token: str) -> Principal:
        """The principal of a browser session; API tokens are not accepted here, nor the other way round."""
        owner = await self._cached_owner(token, self._browsers, queries.find_browser_owner)
        if owner is None:
            raise InvalidToken
        if owner.is_due:
            self._browsers.put(self._hash(token), owner._replace(is_due=False), CACHED_S)
            await self.record_use(owner.principal)
        return owner.principal

    def _hash_pair(self, credentials: PasswordCredentials) -> bytes:
        pair = f"{credentials.username}\0{credentials.password}".encode()
        return hmac.new(self._secret, pair, hashlib.sha256).digest()

    def _hash(self, token: str) -> str:
        return hmac.new(self._secret, token.encode(), hashlib.sha256).hexdigest()

    async def _owner_of(self, token: str) -> queries.TokenOwner | None:
        return await self._cached_owner(token, self._tokens, queries.find_token_owner)

    async def _cached_owner(
        self, token: str, cache: Recent[str, queries.TokenOwner], look_up: LookUp
    ) -> queries.TokenOwner | None:
        if not token:
            return None
        hashed = self._hash(token)
        if cached := cache.get(hashed):
            return cached
        async with self.database.read() as session:
            owner = await look_up(session, hashed)
        # A token that is unknown now may be created in the next moment: only known ones are cached.
        if owner is not None:
            cache.put(hashed, owner, CACHED_S)
        return owner

    async def _token_of(self, credentials: PasswordCredentials, address: str) -> str | None:
        key = self._hash_pair(credentials)
        if known := self._passwords.get(key):
            return known
        check = self._checks.get(key)
        if check is None:  # for a client that fetches four files at once, the password is checked once
            check = asyncio.create_task(self._check_password(key, credentials, address))
            self._checks[key] = check
        return await asyncio.shield(check)

    async def _check_password(self, key: bytes, credentials: PasswordCredentials, address: str) -> str | None:
        try:
            token = await self.log_in(credentials.username, credentials.password, address)
        finally:
            del self._checks[key]
        if token is not None:
            self._passwords.put(key, token, CACHED_S)
        return token

    def sign(self, principal: Principal, audience: Service) -> str:
        """The inner identity of a caller for one service; signed again after a step of the wall clock."""
        now, ticks = self._wall(), self._ticks()
        known = self._signed.get((principal, audience))
        if known is not None and abs((now - known.at) - (ticks - known.ticks)) < STEP_S:
            return known.token
        signed = Signed(sign_identity(principal, audience, self._signing_key, now=now), now, ticks)
        self._signed.put((principal, audience), signed, SIGNED_S)
        return signed.token

    def sign_address(self, address: str, service: Service) -> str:
        """A caller's address, signed for one service; the portal sends it back to the gateway."""
        audience = Service.GATEWAY if service is Service.PORTAL else service
        return sign_address(address, audience, self._signing_key, now=self._wall())


def log_in_body(username: str, password: str) -> bytes:
    """The body of metadata's `/auth-token`."""
    return json.dumps({"username": username, "password": password}).encode()

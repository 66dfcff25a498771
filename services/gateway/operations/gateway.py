"""The state of a running gateway, and what it does for each request besides forwarding it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.common.address import HEADER as ADDRESS_HEADER
from libs.common.address import network_of, read_address
from libs.common.app import Loop, running
from libs.common.auth import HEADER
from libs.common.bus import Bus
from libs.common.catalogue import Service, service_of
from libs.common.client import Answer, InProcess
from libs.common.cookies import SESSION_COOKIE, cookie_value, is_csrf_token, read_cookies
from libs.common.db.engine import Database
from libs.common.http import SAFE
from libs.common.memory import Recent
from libs.common.observability import logger, watch_loop
from libs.common.origin import OTHER_SITE, is_own_origin
from libs.common.permissions import Principal
from libs.common.problem import Forbidden, InvalidToken, Problem, TooManyRequests, Unavailable
from services.gateway import domain, queries
from services.gateway.operations.authenticator import Authenticator, log_in_body
from services.gateway.proxy import Upstream
from services.gateway.settings import Settings

CSRF_HEADER = "x-csrf-token"
MAX_BUCKETS = 10_000
REPORT_USED_S = 5.0


class Gateway:
    """Settings, connections and caches of one process."""

    def __init__(self, settings: Settings, upstream: Upstream, apps: Mapping[Service, ASGIApp]) -> None:
        self.settings = settings
        self.upstream = upstream
        self.apps = apps
        self.database = Database(
            settings.database_url.get_secret_value(),
            Service.GATEWAY,
            writers=1,
            readers=settings.read_connections,
            patience=settings.patience,
        )
        self.bus = Bus(settings.nats_url, Service.GATEWAY)
        self.authenticator = Authenticator(settings, self.database, self._log_in, self._record_use)
        self.buckets: Recent[object, domain.Bucket] = Recent(MAX_BUCKETS)
        self.log = logger("gateway")

    def caller_of(self, scope: Scope) -> domain.Caller:
        """The other end of the connection, or the browser for which the portal sends the request."""
        caller = domain.caller_of(scope, self.settings.trusted_proxies)
        header = Headers(scope=scope).get(ADDRESS_HEADER)
        key = self.settings.identity_verify_key
        address = read_address(header, Service.GATEWAY, key) if header else None
        return replace(caller, address=address) if address else caller

    async def identify(self, scope: Scope, caller: domain.Caller) -> Principal | None:
        """The principal of a request; None without credentials. Raises InvalidToken, Forbidden, TooManyRequests."""
        headers = Headers(scope=scope)
        cookies, secure = read_cookies(scope["headers"]), caller.scheme == "https"
        session = cookie_value(cookies, SESSION_COOKIE, secure=secure)
        credentials = domain.credentials_of(headers.get("authorization"), session)
        if credentials is None or scope["path"] == "/auth-token":
            return None
        if isinstance(credentials, domain.TokenCredentials) and credentials.by_cookie:
            try:
                principal = await self.authenticator.identify(credentials, caller.address)
            except InvalidToken:
                return None  # a browser with an expired cookie is anonymous, and is sent to the sign-in page
            # Pages check the token in their own form; all other writes send it in a header.
            if scope["method"] not in SAFE and service_of(scope["path"]) is not Service.PORTAL:
                self._check_write_by_cookie(headers, cookies, caller)
            return principal
        # A wrong token counts against the caller's address here, a password before it is checked: see `_log_in`.
        try:
            return await self.authenticator.identify(credentials, caller.address)
        except InvalidToken:
            if isinstance(credentials, domain.TokenCredentials):
                self.check_rate(None, caller.address)
            elif scope["path"].startswith("/data/"):
                return None  # the data server repeats its 401 challenge
            raise

    @staticmethod
    def _check_write_by_cookie(headers: Headers, cookies: Mapping[str, str], caller: domain.Caller) -> None:
        secure = caller.scheme == "https"
        if not is_own_origin(headers, caller.host, secure=secure):
            raise Forbidden(OTHER_SITE.format(host=caller.host))
        if not is_csrf_token(cookie_value(cookies, SESSION_COOKIE, secure=secure), headers.get(CSRF_HEADER)):
            raise Forbidden("A write by cookie needs the CSRF token in the header X-CSRF-Token.")

    def check_rate(self, principal: Principal | None, address: str) -> None:
        """Count a request of a user, or of an address without one. Raises TooManyRequests."""
        if not self.settings.rate_limit:
            return
        key: object = principal.user_id if principal else network_of(address)
        bucket, wait_s = domain.spend(self.buckets.get(key), time.monotonic(), self.settings.rate_limit)
        self.buckets.put(key, bucket)
        if wait_s:
            seconds = int(wait_s) + 1
            raise TooManyRequests(
                f"Request was throttled. Expected available in {seconds} seconds.",
                headers={"Retry-After": str(seconds)},
            )

    async def check_database(self) -> None:
        """Raise DATABASE_ERRORS unless tokens can be looked up."""
        async with self.database.read() as session:
            await queries.check_tokens(session)

    async def _log_in(self, username: str, password: str, address: str) -> str | None:
        """The token behind a password, by metadata's public route. Raises TooManyRequests, Unavailable."""
        self.check_rate(None, address)  # argon2 is slow; tokens in place of the password do not come here
        body = log_in_body(username, password)
        headers = {ADDRESS_HEADER: self.authenticator.sign_address(address, Service.METADATA)}
        answer = await self._request(Service.METADATA, "POST", "/auth-token", body, headers)
        if answer.status == 200:
            return str(answer.json()["token"])
        if answer.status == 429:
            seconds = answer.headers.get("retry-after", "2")
            raise TooManyRequests(str(answer.json()["detail"]), headers={"Retry-After": seconds})
        if answer.status >= 500:
            raise Unavailable
        return None

    async def _record_use(self, principal: Principal) -> None:
        """Let metadata record the use of a browser session; after a failure the next request does."""
        headers = {HEADER: self.authenticator.sign(principal, Service.METADATA)}
        path = f"/browser-sessions/{principal.token_id}/use"
        try:
            answer = await self._request(Service.METADATA, "POST", path, headers=headers)
        except Problem as problem:
            self.log.warning("the use of a browser session is not recorded", reason=problem.text)
            return
        if answer.status >= 400:
            self.log.warning("the use of a browser session is not recorded", status=answer.status)

    async def request(self, service: Service, method: str, path: str) -> tuple[int, bytes]:
        """A small request of the gateway's own; status and body of the response."""
        answer = await self._request(service, method, path)
        return answer.status, answer.content

    async def _request(
        self,
        service: Service,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        async def forward(scope: Scope, receive: Receive, send: Send) -> None:
            await self.upstream(service, scope, receive, send)

        sent = {"Host": "gateway", "Content-Type": "application/json", **headers}
        return await InProcess(forward).request(method, path, headers=sent, content=body)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Run the gateway's loops; mounted services start and stop with it."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.database.close)
            stack.push_async_callback(self.bus.close)
            stack.push_async_callback(self.upstream.close)
            for app in self.apps.values():
                await stack.enter_async_context(_lifespan_of(app))
            loops: list[Loop] = [
                self.bus.keep_connected,
                self._report_used_tokens,
                partial(watch_loop, Service.GATEWAY),
            ]
            await stack.enter_async_context(running(loops, Service.GATEWAY))
            yield

    async def _report_used_tokens(self) -> None:
        """Publish to metadata which tokens were used, every few seconds."""
        while True:
            await asyncio.sleep(REPORT_USED_S)
            if self.authenticator.used:
                used, self.authenticator.used = self.authenticator.used, set()
                await self.bus.wake("token.used", orjson.dumps(sorted(map(str, used))))


def _lifespan_of(app: ASGIApp) -> Any:
    return app.router.lifespan_context(app)  # type: ignore[attr-defined]

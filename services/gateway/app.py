"""The gateway: knows the caller, signs who it is, and hands the request to the service that answers it."""

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
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.address import HEADER as ADDRESS_HEADER
from libs.common.address import network_of, read_address
from libs.common.app import Loop, running
from libs.common.auth import HEADER
from libs.common.bus import Bus
from libs.common.catalogue import SHARED, STATEFUL, Service, service_of
from libs.common.client import Answer, InProcess
from libs.common.cookies import SESSION_COOKIE, cookie_value, is_csrf_token, read_cookies
from libs.common.db.engine import DATABASE_ERRORS, Database
from libs.common.errors import answer
from libs.common.http import SAFE
from libs.common.limits import Limited
from libs.common.memory import Recent
from libs.common.observability import (
    REQUEST_ID_HEADER,
    Observed,
    configure_logs,
    logger,
    request_id,
    watch_loop,
)
from libs.common.origin import OTHER_SITE, is_own_origin
from libs.common.permissions import Principal
from libs.common.problem import Forbidden, InvalidToken, NotFound, Problem, TooManyRequests, Unavailable
from services.gateway import domain, routes
from services.gateway.operations import Doorman, log_in_body
from services.gateway.proxy import Mounted, Proxied, Way
from services.gateway.settings import Settings

CSRF_HEADER = "x-csrf-token"
HSTS = (b"strict-transport-security", b"max-age=31536000")
MOST_BUCKETS = 10_000


class Gateway:
    """The ASGI application."""

    def __init__(self, settings: Settings, way: Way, apps: Mapping[Service, ASGIApp]) -> None:
        self.settings = settings
        self.way = way
        self.apps = apps
        self.database = Database(
            settings.database_url.get_secret_value(),
            Service.GATEWAY,
            writers=1,
            readers=settings.read_connections,
            patience=settings.patience,
        )
        self.bus = Bus(settings.nats_url, Service.GATEWAY)
        self.doorman = Doorman(settings, self.database, self._log_in, self._use)
        self.buckets: Recent[object, domain.Bucket] = Recent(MOST_BUCKETS)
        self.log = logger("gateway")
        self._limited = Limited(self._serve, settings.json_body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._limited(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False
        caller = self._caller(scope)

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            if caller.scheme == "https" and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], HSTS]
            await send(message)

        try:
            await self._route(scope, receive, watched, caller)
        except Problem as problem:
            if started:
                raise
            await answer(problem)(scope, receive, watched)
        except DATABASE_ERRORS:
            self.log.exception("the gateway failed")
            if started:
                raise
            await answer(Unavailable())(scope, receive, watched)

    async def _route(self, scope: Scope, receive: Receive, send: Send, caller: domain.Caller) -> None:
        service = service_of(scope["path"])
        if service is None:
            raise NotFound(_nobody(scope["path"]))
        if service is Service.GATEWAY:
            if (
                scope["path"] != "/health/live"
            ):  # readiness asks everybody: a stranger may not let it ask without end
                self._limit(None, caller.address)
            await routes.answer_own(self, caller, scope, receive, send)
            return
        if scope["path"] == "/":
            await routes.to_portal(scope, receive, send)
            return
        who = await self.identify(scope, caller)
        self._limit(who, caller.address)
        headers = domain.inward(scope["headers"], caller)
        headers.append((REQUEST_ID_HEADER.encode(), request_id.get().encode("latin-1")))
        if who is not None:
            who = replace(who, address=caller.address)
            headers.append((HEADER.encode(), self.doorman.sign(who, service).encode()))
        if domain.needs_address(service, scope["method"], scope["path"]):
            signed = self.doorman.sign_address(caller.address, service)
            headers.append((ADDRESS_HEADER.encode(), signed.encode()))
        await self.way(service, {**scope, "headers": headers}, receive, send)

    def _caller(self, scope: Scope) -> domain.Caller:
        """The other end, or the browser that the portal asks for."""
        caller = domain.caller_of(scope, self.settings.trusted_proxies)
        sent = Headers(scope=scope).get(ADDRESS_HEADER)
        key = self.settings.identity_verify_key
        signed = read_address(sent, Service.GATEWAY, key) if sent else None
        return replace(caller, address=signed) if signed else caller

    async def identify(self, scope: Scope, caller: domain.Caller) -> Principal | None:
        """Who sent a request; None for a stranger. Raises InvalidToken, Forbidden, TooManyRequests."""
        headers = Headers(scope=scope)
        cookies, secure = read_cookies(scope["headers"]), caller.scheme == "https"
        session = cookie_value(cookies, SESSION_COOKIE, secure=secure)
        given = domain.credentials(headers.get("authorization"), session)
        if given is None or scope["path"] == "/auth-token":
            return None
        if isinstance(given, domain.TokenGiven) and given.by_cookie:
            try:
                who = await self.doorman.identify(given, caller.address)
            except InvalidToken:
                return None  # a browser with an old cookie is a stranger, and is asked to sign in
            # Pages check the token in their own form; everything else shows it in a header.
            if scope["method"] not in SAFE and service_of(scope["path"]) is not Service.PORTAL:
                self._check_write_by_cookie(headers, cookies, caller)
            return who
        # A guess counts against the address it comes from; one at a password before that is checked: see `_log_in`.
        try:
            return await self.doorman.identify(given, caller.address)
        except InvalidToken:
            if isinstance(given, domain.TokenGiven):
                self._limit(None, caller.address)
            elif scope["path"].startswith("/data/"):
                return None  # the data server asks again by its 401 challenge
            raise

    @staticmethod
    def _check_write_by_cookie(headers: Headers, cookies: Mapping[str, str], caller: domain.Caller) -> None:
        secure = caller.scheme == "https"
        if not is_own_origin(headers, caller.host, secure=secure):
            raise Forbidden(OTHER_SITE.format(host=caller.host))
        if not is_csrf_token(cookie_value(cookies, SESSION_COOKIE, secure=secure), headers.get(CSRF_HEADER)):
            raise Forbidden("A write by cookie needs the CSRF token in the header X-CSRF-Token.")

    def _limit(self, who: Principal | None, address: str) -> None:
        if not self.settings.rate_limit:
            return
        key: object = who.user_id if who else network_of(address)
        bucket, wait_s = domain.spend(self.buckets.get(key), time.monotonic(), self.settings.rate_limit)
        self.buckets.put(key, bucket)
        if wait_s:
            seconds = int(wait_s) + 1
            raise TooManyRequests(
                f"Request was throttled. Expected available in {seconds} seconds.",
                headers={"Retry-After": str(seconds)},
            )

    async def _log_in(self, username: str, password: str, address: str) -> str | None:
        """Ask metadata for the token behind a password, by its public door. Raises TooManyRequests, Unavailable."""
        self._limit(
            None, address
        )  # argon2 is slow; who shows a token in the password's place does not come here
        body = log_in_body(username, password)
        signed = {ADDRESS_HEADER: self.doorman.sign_address(address, Service.METADATA)}
        answer = await self._request(Service.METADATA, "POST", "/auth-token", body, signed)
        if answer.status == 200:
            return str(answer.json()["token"])
        if answer.status == 429:
            seconds = answer.headers.get("retry-after", "2")
            raise TooManyRequests(str(answer.json()["detail"]), headers={"Retry-After": seconds})
        if answer.status >= 500:
            raise Unavailable
        return None

    async def _use(self, who: Principal) -> None:
        """Tell metadata that a browser session is in use; if it cannot hear, the next request tells it."""
        signed = {HEADER: self.doorman.sign(who, Service.METADATA)}
        path = f"/browser-sessions/{who.token_id}/use"
        try:
            answer = await self._request(Service.METADATA, "POST", path, more=signed)
        except Problem as problem:
            self.log.warning("the use of a browser session is not written down", reason=problem.text)
            return
        if answer.status >= 400:
            self.log.warning("the use of a browser session is not written down", status=answer.status)

    async def ask(self, service: Service, method: str, path: str) -> tuple[int, bytes]:
        """A small request of the gateway's own; status and body of the answer."""
        answer = await self._request(service, method, path)
        return answer.status, answer.content

    async def _request(
        self,
        service: Service,
        method: str,
        path: str,
        body: bytes = b"",
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        async def to_service(scope: Scope, receive: Receive, send: Send) -> None:
            await self.way(service, scope, receive, send)

        headers = {"Host": "gateway", "Content-Type": "application/json", **more}
        return await InProcess(to_service).request(method, path, headers=headers, content=body)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Everything that runs while the gateway does; mounted services are started together."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.database.close)
            stack.push_async_callback(self.bus.close)
            stack.push_async_callback(self.way.close)
            for app in self.apps.values():
                await stack.enter_async_context(_lifespan_of(app))
            loops: list[Loop] = [
                self.bus.keep_connected,
                self._tell_used,
                partial(watch_loop, Service.GATEWAY),
            ]
            await stack.enter_async_context(running(loops, Service.GATEWAY))
            yield

    async def _tell_used(self) -> None:
        """Let metadata know which tokens were used, every few seconds."""
        while True:
            await asyncio.sleep(5)
            if self.doorman.used:
                used, self.doorman.used = self.doorman.used, set()
                await self.bus.wake("token.used", orjson.dumps(sorted(map(str, used))))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self.lifespan():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            self.log.exception("the gateway could not start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def _lifespan_of(app: ASGIApp) -> Any:
    return app.router.lifespan_context(app)  # type: ignore[attr-defined]


def _nobody(path: str) -> str:
    first = path.lstrip("/").partition("/")[0]
    if first in SHARED:
        return (
            f"Nothing answers {path}: name a service, as in /{first}/{STATEFUL[0]} ({', '.join(STATEFUL)})."
        )
    return f"Nothing answers {path}: see /api/docs for what does."


def build(settings: Settings | None = None, apps: Mapping[Service, ASGIApp] | None = None) -> ASGIApp:
    """The gateway in front of services of this process (`apps`), or of others by their addresses."""
    settings = settings or Settings()
    configure_logs(settings.log_level, as_json=settings.log_json)
    way: Way = Mounted(apps) if apps is not None else Proxied(settings.services)
    return Observed(Gateway(settings, way, apps or {}), Service.GATEWAY)

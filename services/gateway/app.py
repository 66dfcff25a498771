"""The ASGI application of the gateway: identifies the caller and forwards the request to its service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.address import HEADER as ADDRESS_HEADER
from libs.common.auth import HEADER
from libs.common.catalogue import SHARED, STATEFUL, Service, service_of
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.errors import answer
from libs.common.limits import Limited
from libs.common.observability import REQUEST_ID_HEADER, Observed, configure_logs, request_id
from libs.common.problem import NotFound, Problem, Unavailable
from services.gateway import domain, routes
from services.gateway.compression import Compressed
from services.gateway.operations.gateway import Gateway
from services.gateway.proxy import MountedUpstream, ProxiedUpstream, Upstream
from services.gateway.settings import Settings

HSTS = (b"strict-transport-security", b"max-age=31536000")


class GatewayApp:
    """The ASGI application of one `Gateway`."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._limited = Limited(Compressed(self._serve), gateway.settings.json_body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._limited(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False
        caller = self.gateway.caller_of(scope)

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
            self.gateway.log.exception("the gateway failed")
            if started:
                raise
            await answer(Unavailable())(scope, receive, watched)

    async def _route(self, scope: Scope, receive: Receive, send: Send, caller: domain.Caller) -> None:
        path = scope["path"]
        service = service_of(path)
        if service is None:
            raise NotFound(_unknown_path(path))
        if service is Service.GATEWAY:
            if (
                path != "/health/live"
            ):  # readiness calls all services: its rate is limited for unauthenticated callers
                self.gateway.check_rate(None, caller.address)
            await routes.answer_own(self.gateway, caller, scope, receive, send)
        elif path == "/":
            await routes.redirect_to_portal(scope, receive, send)
        else:
            headers = await self._inner_headers(service, scope, caller)
            await self.gateway.upstream(service, {**scope, "headers": headers}, receive, send)

    async def _inner_headers(
        self, service: Service, scope: Scope, caller: domain.Caller
    ) -> list[domain.Header]:
        """The headers of a request for its service, with the signed identity of its caller."""
        authenticator = self.gateway.authenticator
        principal = await self.gateway.identify(scope, caller)
        self.gateway.check_rate(principal, caller.address)
        headers = domain.inner_headers(scope["headers"], caller)
        headers.append((REQUEST_ID_HEADER.encode(), request_id.get().encode("latin-1")))
        if principal is not None:
            principal = replace(principal, address=caller.address)
            headers.append((HEADER.encode(), authenticator.sign(principal, service).encode()))
        if domain.needs_address(service, scope["method"], scope["path"]):
            signed = authenticator.sign_address(caller.address, service)
            headers.append((ADDRESS_HEADER.encode(), signed.encode()))
        return headers

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self.gateway.lifespan():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            self.gateway.log.exception("the gateway could not start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def _unknown_path(path: str) -> str:
    first = path.lstrip("/").partition("/")[0]
    if first in SHARED:
        services = ", ".join(STATEFUL)
        return f"There is no {path}: name a service, as in /{first}/{STATEFUL[0]} ({services})."
    return f"There is no {path}: see /api/docs for the paths that exist."


def build(settings: Settings | None = None, apps: Mapping[Service, ASGIApp] | None = None) -> ASGIApp:
    """The gateway in front of services of this process (`apps`), or of others by their addresses."""
    settings = settings or Settings()
    configure_logs(settings.log_level, as_json=settings.log_json)
    upstream: Upstream = MountedUpstream(apps) if apps is not None else ProxiedUpstream(settings.services)
    gateway = Gateway(settings, upstream, apps or {})
    return Observed(GatewayApp(gateway), Service.GATEWAY)

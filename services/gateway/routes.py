"""Routes of the gateway itself: health, metrics, the API's description."""

from __future__ import annotations

import asyncio
import hmac
from functools import cache
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from libs.common.catalogue import SEGMENTS, Service
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.observability import metrics
from libs.common.permissions import may_oversee
from libs.common.problem import Forbidden, NotAuthenticated, NotFound, Problem
from services.gateway.domain import Caller
from services.gateway.operations.gateway import Gateway

TIMEOUT_S: Final = 1.8  # probes wait 2 s
CACHED: Final = {"Cache-Control": "public, max-age=300"}
OPENAPI = "application/vnd.oai.openapi+json"


@cache
def schema() -> bytes:
    """The committed OpenAPI document of the public API (`make schema` writes it)."""
    return (Path(__file__).parent / "static" / "schema.json").read_bytes()


@cache
def core_schema() -> bytes:
    """The same as a core API document, which ONE clients before 3.4 read."""
    return (Path(__file__).parent / "static" / "coreapi.json").read_bytes()


async def answer_own(gateway: Gateway, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request for the gateway itself."""
    request = Request(scope, receive)
    match scope["path"].rstrip("/"):
        case "/health/live":
            response: Response = JSONResponse({"status": "ok"})
        case "/health" | "/health/ready":
            response = await _ready(gateway, caller, scope)
        case "/metrics":
            await _check_may_read_metrics(gateway, caller, request)
            response = await metrics(request)
        case "/api/schema":
            response = Response(schema(), media_type=OPENAPI, headers=CACHED)
        case "/docs" if "coreapi" in request.headers.get("accept", ""):
            response = Response(core_schema(), media_type="application/coreapi+json", headers=CACHED)
        case "/docs":
            response = RedirectResponse("/app/api", status_code=302)
        case "/api/docs":
            response = RedirectResponse("/app/api", status_code=302)
        case _:
            raise NotFound
    await response(scope, receive, send)


async def _is_member(gateway: Gateway, caller: Caller, scope: Scope) -> bool:
    """Whether the caller may see the parts of the system; False also if identification fails."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            principal = await gateway.identify(scope, caller)
    except (Problem, *DATABASE_ERRORS):
        return False
    return principal is not None and not principal.is_public


async def _check_may_read_metrics(gateway: Gateway, caller: Caller, request: Request) -> None:
    """Raise unless the request has the metrics' own token, or an administrator's."""
    token = gateway.settings.metrics_token
    credential = request.headers.get("authorization", "").partition(" ")[2].strip()
    if token is not None and hmac.compare_digest(credential.encode(), token.get_secret_value().encode()):
        return
    principal = await gateway.identify(request.scope, caller)
    if principal is None:
        raise NotAuthenticated
    if not may_oversee(principal):
        raise Forbidden


async def redirect_to_portal(scope: Scope, receive: Receive, send: Send) -> None:
    """Redirect the root to the pages."""
    await RedirectResponse("/app/", status_code=302)(scope, receive, send)


async def _ready(gateway: Gateway, caller: Caller, scope: Scope) -> Response:
    """Ready when the gateway and all its services are; members see the state of each."""
    names = sorted({service for service in SEGMENTS.values() if service is not Service.GATEWAY})
    known = [s for s in names if s in gateway.apps or s in gateway.settings.services]
    checks = (_own_state(gateway), *(_state(gateway, service) for service in known))
    is_member, *results = await asyncio.gather(_is_member(gateway, caller, scope), *checks)
    states = dict(zip((Service.GATEWAY, *known), results, strict=True))
    is_ready = all(state == "ok" for state in states.values())
    body: dict[str, Any] = {"status": "ok" if is_ready else "not ready"}
    if is_member:
        body["services"] = states
    return JSONResponse(body, status_code=200 if is_ready else 503)


async def _state(gateway: Gateway, service: Service) -> str:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            status, _ = await gateway.request(service, "GET", "/health/ready")
    except TimeoutError:
        return "does not respond in time"
    except Problem as problem:
        return problem.text
    return "ok" if status == 200 else f"answers {status}"


async def _own_state(gateway: Gateway) -> str:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await gateway.check_database()
    except DATABASE_ERRORS as error:
        return f"cannot look up tokens: {type(error).__name__}"
    return "ok"

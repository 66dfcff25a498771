"""What the gateway answers itself: health, metrics, the API's description."""

from __future__ import annotations

import asyncio
import hmac
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from libs.common.catalogue import SEGMENTS, Service
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.observability import metrics
from libs.common.permissions import may_oversee
from libs.common.problem import Forbidden, NotAuthenticated, NotFound, Problem
from services.gateway import queries

if TYPE_CHECKING:
    from services.gateway.app import Gateway
    from services.gateway.domain import Caller

WAIT_S: Final = 1.8  # probes wait 2 s
KEPT: Final = {"Cache-Control": "public, max-age=300"}
OPENAPI = "application/vnd.oai.openapi+json"


@cache
def schema() -> bytes:
    """The committed description of the public API (`make schema` writes it)."""
    return (Path(__file__).parent / "static" / "schema.json").read_bytes()


@cache
def old_schema() -> bytes:
    """The same in the form that ONE clients before 3.4 read."""
    return (Path(__file__).parent / "static" / "coreapi.json").read_bytes()


async def answer_own(gateway: Gateway, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request that is for the gateway itself."""
    request = Request(scope, receive)
    match scope["path"].rstrip("/"):
        case "/health/live":
            response: Response = JSONResponse({"status": "ok"})
        case "/health" | "/health/ready":
            response = await _ready(gateway, caller, scope)
        case "/metrics":
            await _check_may_measure(gateway, caller, request)
            response = await metrics(request)
        case "/api/schema":
            response = Response(schema(), media_type=OPENAPI, headers=KEPT)
        case "/docs" if "coreapi" in request.headers.get("accept", ""):
            response = Response(old_schema(), media_type="application/coreapi+json", headers=KEPT)
        case "/docs":
            response = RedirectResponse("/app/api", status_code=302)
        case "/api/docs":
            response = RedirectResponse("/app/api", status_code=302)
        case _:
            raise NotFound
    await response(scope, receive, send)


async def _is_member(gateway: Gateway, caller: Caller, scope: Scope) -> bool:
    """Whether the caller may know the parts of the system; who cannot be identified now is a stranger."""
    try:
        async with asyncio.timeout(WAIT_S):
            who = await gateway.identify(scope, caller)
    except (Problem, *DATABASE_ERRORS):
        return False
    return who is not None and not who.is_public


async def _check_may_measure(gateway: Gateway, caller: Caller, request: Request) -> None:
    """Raise unless the metrics' own token is shown, or an administrator's."""
    token = gateway.settings.metrics_token
    shown = request.headers.get("authorization", "").partition(" ")[2].strip()
    if token is not None and hmac.compare_digest(shown.encode(), token.get_secret_value().encode()):
        return
    who = await gateway.identify(request.scope, caller)
    if who is None:
        raise NotAuthenticated
    if not may_oversee(who):
        raise Forbidden


async def to_portal(scope: Scope, receive: Receive, send: Send) -> None:
    """The root leads to the pages."""
    await RedirectResponse("/app/", status_code=302)(scope, receive, send)


async def _ready(gateway: Gateway, caller: Caller, scope: Scope) -> Response:
    """Ready when the gateway and all its services are; members are told which, with what each says."""
    names = sorted({service for service in SEGMENTS.values() if service is not Service.GATEWAY})
    known = [s for s in names if s in gateway.apps or s in gateway.settings.services]
    asked = (_own_state(gateway), *(_state(gateway, service) for service in known))
    is_member, *told = await asyncio.gather(_is_member(gateway, caller, scope), *asked)
    states = dict(zip((Service.GATEWAY, *known), told, strict=True))
    good = all(said == "ok" for said in states.values())
    body: dict[str, Any] = {"status": "ok" if good else "not ready"}
    if is_member:
        body["services"] = states
    return JSONResponse(body, status_code=200 if good else 503)


async def _state(gateway: Gateway, service: Service) -> str:
    try:
        async with asyncio.timeout(WAIT_S):
            status, _ = await gateway.ask(service, "GET", "/health/ready")
    except TimeoutError:
        return "does not answer in time"
    except Problem as problem:
        return problem.text
    return "ok" if status == 200 else f"answers {status}"


async def _own_state(gateway: Gateway) -> str:
    try:
        async with asyncio.timeout(WAIT_S), gateway.database.read() as session:
            await queries.check(session)
    except DATABASE_ERRORS as error:
        return f"cannot look up tokens: {type(error).__name__}"
    return "ok"

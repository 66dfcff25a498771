"""What the gateway answers itself: health, metrics, the API's description."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from libs.common.catalogue import SEGMENTS, Service
from libs.common.observability import metrics
from libs.common.problem import NotFound, Problem, Unavailable

if TYPE_CHECKING:
    from services.gateway.app import Gateway

OPENAPI = "application/vnd.oai.openapi+json"


@cache
def schema() -> bytes:
    """The committed description of the public API (`make schema` writes it)."""
    return (Path(__file__).parent / "static" / "schema.json").read_bytes()


@cache
def old_schema() -> bytes:
    """The same in the form that ONE clients before 3.4 read."""
    return (Path(__file__).parent / "static" / "coreapi.json").read_bytes()


async def answer_own(gateway: Gateway, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request that is for the gateway itself."""
    request = Request(scope, receive)
    match scope["path"].rstrip("/"):
        case "/health/live":
            response: Response = JSONResponse({"status": "ok"})
        case "/health" | "/health/ready":
            response = await _ready(gateway)
        case "/metrics":
            response = await metrics(request)
        case "/api/schema":
            response = Response(schema(), media_type=OPENAPI)
        case "/docs" if "coreapi" in request.headers.get("accept", ""):
            response = Response(old_schema(), media_type="application/coreapi+json")
        case "/docs":
            response = RedirectResponse("/app/api", status_code=302)
        case "/api/docs":
            response = RedirectResponse("/app/api", status_code=302)
        case _:
            raise NotFound
    await response(scope, receive, send)


async def to_portal(scope: Scope, receive: Receive, send: Send) -> None:
    """The root leads to the pages."""
    await RedirectResponse("/app/", status_code=302)(scope, receive, send)


async def _ready(gateway: Gateway) -> Response:
    """Ready when the gateway and all its services are; each is named with what it says."""
    names = sorted({service for service in SEGMENTS.values() if service is not Service.GATEWAY})
    known = [s for s in names if s in gateway.apps or s in gateway.settings.services]

    async def state(service: Service) -> str:
        try:
            status, _ = await gateway.ask(service, "GET", "/health/ready")
        except Problem as problem:
            return problem.text
        return "ok" if status == 200 else f"answers {status}"

    states: dict[Service, str] = dict(zip(known, await asyncio.gather(*map(state, known)), strict=True))
    try:
        await gateway.database.ping()
        states[Service.GATEWAY] = "ok"
    except OSError as error:
        raise Unavailable from error
    good = all(said == "ok" for said in states.values())
    return JSONResponse(
        {"status": "ok" if good else "not ready", "services": states}, status_code=200 if good else 503
    )

"""The portal application. It has no database: all data comes from the public API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from libs.common.auth import IdentityMiddleware
from libs.common.catalogue import Service
from libs.common.client import OverHttp
from libs.common.disconnect import EndsWithItsCaller
from libs.common.limits import Limited
from libs.common.observability import Observed, configure_logs, metrics, watch_loop
from libs.common.problem import Problem
from libs.common.routing import add_routes
from services.portal.pages import rendering
from services.portal.pages.errors import explain, to_sign_in
from services.portal.pages.viewer import ApiRefused, SignInFirst, api_of
from services.portal.routes import routers
from services.portal.settings import Settings

WAIT_S: Final = 1.5  # probes wait 2 s


def build(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings come from the environment unless given.

    `app.state.api` is the client of the public API. If the gateway runs in the same process, the code that starts
    both sets it to `InProcess(gateway)`.
    """
    settings = settings or Settings()
    configure_logs(settings.log_level, as_json=settings.log_json)
    app = FastAPI(title="Cingulum portal", openapi_url=None, lifespan=_lifespan, redirect_slashes=False)
    app.state.api = OverHttp(settings.gateway_url) if settings.gateway_url else None
    _add_errors(app)
    app.add_route("/health/live", _live, include_in_schema=False)
    app.add_route("/health/ready", _ready, include_in_schema=False)
    app.add_route("/metrics", metrics, include_in_schema=False)
    add_routes(app, routers)
    app.add_middleware(EndsWithItsCaller)
    app.add_middleware(IdentityMiddleware, service=Service.PORTAL, verify_key=settings.identity_verify_key)
    app.add_middleware(Limited)
    app.add_middleware(Observed, service=Service.PORTAL, on_error=_failed)
    rendering.prepare()
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    watching = asyncio.create_task(watch_loop(Service.PORTAL))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        if app.state.api is not None:
            await app.state.api.close()


async def _live(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _ready(request: Request) -> Response:
    """Ready if the gateway is alive. It need not be ready, since its readiness depends on ours."""
    try:
        async with asyncio.timeout(WAIT_S):
            response = await api_of(request).request("GET", "/health/live", headers={"Host": "portal"})
        reason = "" if response.status == 200 else f"the gateway responds with {response.status}"
    except TimeoutError:
        reason = "the gateway does not respond in time"
    except Problem as problem:
        reason = problem.text
    if reason:
        return JSONResponse({"status": "not ready", "away": reason}, status_code=503)
    return JSONResponse({"status": "ok"})


def _failed(request: Request) -> Response:
    return explain(request, 500, "The page could not be rendered. The error was logged.")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(SignInFirst)
    async def sign_in_first(request: Request, error: SignInFirst) -> Response:
        return to_sign_in(request, error)

    @app.exception_handler(ApiRefused)
    async def refused(request: Request, error: ApiRefused) -> Response:
        return explain(request, error.status, error.text)

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return explain(request, error.status, error.text)

    @app.exception_handler(RequestValidationError)
    async def invalid_address(request: Request, _error: RequestValidationError) -> Response:
        return explain(request, 404, "This page does not exist.")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        text = f"There is no page at {request.url.path}." if error.status_code == 404 else str(error.detail)
        return explain(request, error.status_code, text)

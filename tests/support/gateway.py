"""The whole system of one test behind its gateway."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast
from unittest.mock import patch

import httpx
import uvicorn

from deploy.image.serve import options
from deploy.image.wire_limits import WireLimits
from deploy.local.mounted import behind_gateway
from libs.common.catalogue import Service
from services.gateway.app import GatewayApp
from services.gateway.app import build as build_gateway
from services.gateway.operations.gateway import Gateway


@asynccontextmanager
async def at_a_port(app: Any, **settings: Any) -> AsyncIterator[str]:
    """An application on a real port of this machine; its address. `settings` are uvicorn's."""
    # Without a limit uvicorn waits for unfinished requests without end.
    config = {"lifespan": "off", "ws": "none", "timeout_graceful_shutdown": 10, **settings}
    server = uvicorn.Server(uvicorn.Config(app, **config))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def _built(environment: Mapping[str, str]) -> tuple[Any, Gateway]:
    names: list[Service] = [
        s for s in Service if s is not Service.GATEWAY and importlib.util.find_spec(f"services.{s}.app")
    ]
    with patch.dict(os.environ, environment):
        apps = {s: importlib.import_module(f"services.{s}.app").build() for s in names}
        observed: Any = behind_gateway(apps)
    assert isinstance(observed.app, GatewayApp)
    return observed, observed.app.gateway


@asynccontextmanager
async def mounted(environment: Mapping[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway in front of all services, in this process."""
    async with assembled(environment) as (http, _):
        yield http


@asynccontextmanager
async def assembled(environment: Mapping[str, str]) -> AsyncIterator[tuple[httpx.AsyncClient, Gateway]]:
    """The same, and the gateway itself with its services."""
    observed, gateway = _built(environment)
    async with (
        gateway.lifespan(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(observed, raise_app_exceptions=False),
            base_url="http://cingulum.test:8000",
        ) as http,
    ):
        yield http, gateway


@asynccontextmanager
async def as_deployed(
    environment: Mapping[str, str], limits: WireLimits, *, split: bool
) -> AsyncIterator[tuple[str, int]]:
    """The gateway and its services, served as our processes serve them; host and port of the gateway.

    Split: metadata and the portal at ports of their own, the others unavailable.
    """
    async with AsyncExitStack() as stack:
        observed, gateway = _built(environment)
        served_by = options(limits) | {"log_level": "critical"}
        if split:
            addresses = {}
            for service in (Service.METADATA, Service.PORTAL):
                app: Any = gateway.apps[service]
                await stack.enter_async_context(app.router.lifespan_context(app))
                addresses[service] = await stack.enter_async_context(at_a_port(app, **served_by))
            split_environment = {**environment, "CINGULUM_SERVICES": json.dumps(addresses)}
            with patch.dict(os.environ, split_environment):
                observed = cast(Any, build_gateway())
            gateway = observed.app.gateway
        await stack.enter_async_context(gateway.lifespan())
        address = await stack.enter_async_context(at_a_port(observed, **served_by))
        url = httpx.URL(address)
        yield url.host, url.port or 80


@asynccontextmanager
async def served(environment: Mapping[str, str]) -> AsyncIterator[str]:
    """The same on a real port of this machine, for callers in other threads; its address."""
    observed, gateway = _built(environment)
    async with gateway.lifespan(), at_a_port(observed, log_level="error") as address:
        yield address

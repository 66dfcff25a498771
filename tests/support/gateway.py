"""The whole system of one test behind its gateway."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import httpx
import uvicorn

from deploy.local.mounted import behind_gateway
from libs.common.catalogue import Service
from services.gateway.app import Gateway


@asynccontextmanager
async def at_a_port(app: Any, **settings: Any) -> AsyncIterator[str]:
    """An application on a real port of this machine; its address. `settings` are uvicorn's."""
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", ws="none", **settings))
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
    gateway = observed.app
    assert isinstance(gateway, Gateway)
    return observed, gateway


@asynccontextmanager
async def mounted(environment: Mapping[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """Every service of the tree in this process, entered through the gateway."""
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
async def served(environment: Mapping[str, str]) -> AsyncIterator[str]:
    """The same on a real port of this machine, for callers in other threads; its address."""
    observed, gateway = _built(environment)
    async with gateway.lifespan(), at_a_port(observed, log_level="error") as address:
        yield address

"""One service, called over HTTP, on a real database and a real bus."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa
from fastapi import FastAPI

from libs.common.bus import Listener
from libs.common.catalogue import Service
from libs.common.events import Event
from libs.common.migrate import Addresses
from libs.common.permissions import Principal
from libs.common.testing.callers import identity_headers, keys

E = TypeVar("E", bound=Event)
SECRET = "a-secret-for-tests"  # noqa: S105


def settings_environment(admin_url: str, nats_url: str | None, **more: str) -> dict[str, str]:
    """The environment of a system on this database and this bus."""
    environment = Addresses(admin_url, SECRET).environment() | {
        "CINGULUM_SECRET_KEY": SECRET,
        "CINGULUM_IDENTITY_VERIFY_KEY": keys().verify,
        "CINGULUM_IDENTITY_SIGNING_KEY": keys().signing,
        "CINGULUM_LOG_LEVEL": "ERROR",
        "CINGULUM_RATE_LIMIT": "0",
    }
    return environment | ({"CINGULUM_NATS_URL": nats_url} if nats_url else {}) | more


@dataclass
class Running:
    """A service that runs, as tests talk to it."""

    service: Service
    app: FastAPI
    http: httpx.AsyncClient
    caller: Principal | None = None

    def as_(self, caller: Principal | None) -> Running:
        """The same service, called by another caller."""
        return Running(self.service, self.app, self.http, caller)

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request as the present caller."""
        headers = identity_headers(self.caller, self.service) | dict(more.pop("headers", {}))
        return await self.http.request(method, path, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.request("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.request("POST", path, json=body, **more)

    async def put(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.request("PUT", path, **({"json": body} if body is not None else {}), **more)

    async def patch(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.request("PATCH", path, json=body, **more)

    async def delete(self, path: str, **more: Any) -> httpx.Response:
        return await self.request("DELETE", path, **more)

    async def published(self, kind: type[E]) -> list[E]:
        """The events of a kind that the service has published, oldest first."""
        events = self.app.state.writer.tables.events
        async with self.app.state.database.read() as session:
            rows = await session.execute(
                sa.select(events.c.payload).where(events.c.subject == kind.subject).order_by(events.c.seq)
            )
            return [kind.model_validate(row.payload) for row in rows]

    async def say(self, event: Event) -> None:
        """Let the service publish an event."""
        async with self.app.state.writer.begin() as tx:
            tx.publish(event)

    async def sweep(self) -> int:
        """Let the service handle the events that it missed, now."""
        listener: Listener = self.app.state.listener
        return await listener.sweep()


@asynccontextmanager
async def running_service(
    service: Service,
    build: Callable[[Any], FastAPI],
    settings: type[Any],
    environment: Mapping[str, str],
    caller: Principal | None = None,
) -> AsyncIterator[Running]:
    """Start a service with its lifespan, and give a client for it."""
    values = {
        (field.validation_alias or f"CINGULUM_{name.upper()}"): name
        for name, field in settings.model_fields.items()
    }
    values_set = {name: environment[str(key)] for key, name in values.items() if str(key) in environment}
    aliased = {
        str(settings.model_fields[name].validation_alias or name): value for name, value in values_set.items()
    }
    app = build(settings(**aliased))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://cingulum.test"
        ) as http,
    ):
        yield Running(service, app, http, caller)

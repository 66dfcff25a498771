"""The system of one test."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from libs.common.catalogue import Service
from libs.common.db.engine import async_url
from libs.common.permissions import Principal
from libs.common.testing import Running, running_service


@dataclass
class Cingulum:
    """The system of one test: start the services that the test needs."""

    environment: Mapping[str, str]
    admin_url: str
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self, service: Service, caller: Principal | None = None) -> Running:
        """Start a service; it stops with the test."""
        return await self.stack.enter_async_context(self.run(service, caller))

    @cached_property
    def owner(self) -> AsyncEngine:
        """The database's owner, for makers of rows."""
        engine = create_async_engine(async_url(self.admin_url))
        self.stack.push_async_callback(engine.dispose)
        return engine

    def run(self, service: Service, caller: Principal | None = None) -> AbstractAsyncContextManager[Running]:
        """A service for a block of the test."""
        build = importlib.import_module(f"services.{service}.app").build
        settings = importlib.import_module(f"services.{service}.settings").Settings
        return running_service(service, build, settings, self.environment, caller)

"""Metadata, registry and scheduler around one database, for deletions that one of them makes and all of them show."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import pytest_asyncio

from deploy.local.servers import Postgres
from libs.common.catalogue import Service
from libs.common.testing import Running
from tests.support.labs import Labs, a_registry, registered, shared_two_labs

_numbers = itertools.count(1)
DAY = "2024-03-02"


@dataclass(frozen=True)
class Services:
    """The services, called as root unless `as_` says otherwise."""

    labs: Labs
    registry: Running
    scheduler: Running

    @property
    def metadata(self) -> Running:
        return self.labs.metadata

    def as_(self, name: str, *scopes: str) -> Services:
        """All of them, called by another user."""
        by = self.labs.as_(name, *scopes)
        labs = replace(self.labs, metadata=by)
        return Services(labs, self.registry.as_(by.caller), self.scheduler.as_(by.caller))

    async def session(self, nickname: str, number: int = 1, **values: Any) -> str:
        """A session, with an insertion and two files; its id."""
        session = await self.labs.session(nickname, number=number, **values)
        await self.labs.post("/insertions", session=session["id"], name="probe00")
        await registered(
            self.registry, f"{nickname}/{DAY}/{number:03}", "alf/spikes.times.npy", "alf/spikes.clusters.npy"
        )
        return str(session["id"])

    async def undo(self, answer: httpx.Response) -> httpx.Response:
        """Undo a deletion, as its answer says."""
        path = answer.headers["Location"]
        service = {"metadata": self.metadata, "registry": self.registry, "scheduler": self.scheduler}
        return await service[path.split("/")[2]].post(path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Services]:
    """For all tests of a module: each uses subjects of its own."""
    async with shared_two_labs(postgres, template, str(tmp_path_factory.mktemp("labs") / "home")) as labs:
        registry = await a_registry(labs)
        scheduler = await labs.cingulum.start(Service.SCHEDULER, labs.principal("root"))
        yield Services(labs, registry, scheduler)


@pytest.fixture
def nickname() -> str:
    """The nickname of a subject that no other test has."""
    return f"DU{next(_numbers):04d}"

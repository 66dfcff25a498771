"""Sessions of one subject, day and number in a system that merges them."""

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
    """The services, called as root unless `as_` says otherwise; no bus carries their events."""

    labs: Labs
    registry: Running
    scheduler: Running
    compressor: Running

    @property
    def metadata(self) -> Running:
        return self.labs.metadata

    def as_(self, name: str, *scopes: str) -> Services:
        """All of them, called by another user."""
        by = self.labs.as_(name, *scopes)
        others = [service.as_(by.caller) for service in (self.registry, self.scheduler, self.compressor)]
        return Services(replace(self.labs, metadata=by), *others)

    async def twins(self, nickname: str, n: int = 2, **values: Any) -> list[str]:
        """Sessions of one subject, day and number; their ids."""
        await self.labs.animal(nickname)
        return [str((await self.labs.session(nickname, **values))["id"]) for _ in range(n)]

    async def register(self, session: str, *filenames: str, **values: Any) -> list[dict[str, Any]]:
        """Register files in one of several sessions of a folder."""
        detail = (await self.metadata.get(f"/sessions/{session}")).json()
        folder = f"{detail['subject']}/{DAY}/001"
        about = {"content_type": "session", "object_id": session} | values
        return await registered(self.registry, folder, *filenames, **about)

    async def fill(self, session: str, probe: str, nickname: str) -> None:
        """Give a session something of each kind; `probe` is in all names."""
        await self.labs.post("/insertions", session=session, name=probe)
        await self.labs.post("/fields-of-view", session=session, name=f"FOV_{probe}")
        await self.labs.post("/notes", content_type="session", object_id=session, text=probe)
        await self.labs.post(
            "/water-administrations",
            session=session,
            subject=nickname,
            water_administered=1.0,
            date_time=f"{DAY}T12:{probe[-2:]}:00",
        )
        await self.labs.session(nickname, number=7, parent_session=session)
        await self.register(session, f"alf/{probe}/spikes.times.npy", f"alf/{probe}/spikes.clusters.npy")
        task = await self.scheduler.post("/tasks", {"name": f"Task {probe}", "session": session})
        assert task.status_code == 201, task.text

    async def merge(self, into: str, *sessions: str, dry_run: bool = False) -> httpx.Response:
        """Merge sessions into another one."""
        query = "?dry_run=1" if dry_run else ""
        return await self.metadata.post(f"/session-merges{query}", {"into": into, "sessions": list(sessions)})

    async def merged(self, into: str, *sessions: str) -> dict[str, Any]:
        """The same where it succeeds, once every service has done its part."""
        answer = await self.merge(into, *sessions)
        assert answer.status_code == 201, answer.text
        await self.settle()
        return dict(answer.json())

    async def undone(self, merge: dict[str, Any]) -> dict[str, Any]:
        """Undo a merge, once every service has done its part."""
        answer = await self.metadata.post(merge["undo"])
        assert answer.status_code == 200, answer.text
        await self.settle()
        return dict(answer.json())

    async def settle(self) -> None:
        """Let the services handle what they have to, events that follow from others too."""
        for _ in range(3):
            for service in (self.metadata, self.registry, self.scheduler, self.compressor):
                await service.sweep()
                failed = await service.get(f"/events/{service.service}/waiting")
                assert failed.json()["count"] == 0, failed.text

    async def holdings(self, session: str) -> dict[str, list[str]]:
        """What a session has, by kind, as lists and details show it."""
        answer = await self.metadata.get(f"/sessions/{session}")
        if answer.status_code == 404:
            return {}
        detail = answer.json()
        datasets = await self._rows(self.registry, "/datasets", session=session)
        views = await self._rows(self.metadata, "/fields-of-view", session=session)
        tasks = await self._rows(self.scheduler, "/tasks", session=session)
        children = await self._rows(self.metadata, "/sessions", django=f"parent_session,{session}")
        names = {
            "insertion": [row["name"] for row in detail["probe_insertion"]],
            "field-of-view": [row["name"] for row in views],
            "note": [row["text"] for row in detail["notes"]],
            "water-administration": [row["id"] for row in detail["wateradmin_session_related"]],
            "child-session": [row["id"] for row in children],
            "dataset": [f"{row['collection']}/{row['name']}" for row in datasets],
            "task": [row["name"] for row in tasks],
        }
        return {kind: sorted(own) for kind, own in names.items() if own}

    async def _rows(self, service: Running, path: str, **query: str) -> list[dict[str, Any]]:
        answer = await service.get(path, params=query | {"limit": "1000"})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Services]:
    """For all tests of a module: each uses subjects of its own."""
    async with shared_two_labs(postgres, template, str(tmp_path_factory.mktemp("labs") / "home")) as labs:
        root = labs.principal("root")
        registry = await a_registry(labs)
        scheduler = await labs.cingulum.start(Service.SCHEDULER, root)
        yield Services(labs, registry, scheduler, await labs.cingulum.start(Service.COMPRESSOR, root))


@pytest.fixture
def nickname() -> str:
    """The nickname of a subject that no other test has."""
    return f"ME{next(_numbers):04d}"

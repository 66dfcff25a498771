"""PostgreSQL stopped or hung: every service says 503 and when to come back, and works again without a restart."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from deploy.local.migrate import migrate
from deploy.local.servers import Postgres
from libs.common.catalogue import STATEFUL, Service
from libs.common.migrate import Addresses
from libs.common.permissions import Principal
from libs.common.scopes import Permission, Scope
from libs.common.testing import Running, settings_environment
from libs.common.testing.harness import SECRET
from tests.support.system import Cingulum
from tests.support.waiting import attempts

ROAD = {
    Service.METADATA: ("/subjects", "/labs", {"name": "hilllab"}),
    Service.REGISTRY: ("/datasets", "/tags", {"name": "paper"}),
    Service.SCHEDULER: (
        "/jobs",
        "/jobs/claim",
        {"wait_s": 0, "worker": "w", "tasks": ["t"], "claim_id": str(uuid4())},
    ),
    Service.TRANSFER: ("/uploads", "/uploads", {"size_bytes": 1}),
    Service.COMPRESSOR: ("/slices", None, None),
}
ROOT = Principal(uuid4(), "root", is_superuser=True)


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    """A PostgreSQL that this test may stop."""
    with Postgres.temporary() as server:
        yield server


@pytest.fixture
async def system(own_postgres: Postgres, tmp_path: Path) -> AsyncIterator[Cingulum]:
    """A system on it, with short waits for the database, and without a bus."""
    await migrate(Addresses(own_postgres.admin_url, SECRET))
    environment = settings_environment(
        own_postgres.admin_url,
        None,
        CINGULUM_SWEEP_EVERY_S="0.5",
        CINGULUM_HOME=str(tmp_path / "home"),
        CINGULUM_DATABASE_ACQUIRE_S="2",
        CINGULUM_DATABASE_WRITE_S="3",
    )
    cingulum = Cingulum(environment, own_postgres.admin_url)
    async with cingulum.stack:
        yield cingulum


@contextmanager
def hung(server: Postgres) -> Iterator[None]:
    """All processes of a server stand still; connections stay open and nothing answers."""
    assert server.pid is not None
    family = [server.pid, *_children_of(server.pid)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)


def _children_of(pid: int) -> list[int]:
    stats = [entry / "stat" for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    pids = []
    for stat in stats:
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            pids.append(int(stat.parent.name))
    return pids


async def ask(running: Running, method: str, path: str, body: object) -> httpx.Response:
    """One request; a service that hangs fails the test."""
    async with asyncio.timeout(90):
        return await running.request(method, path, **({"json": body} if body is not None else {}))


async def look(services: dict[Service, Running]) -> dict[str, httpx.Response]:
    """A read, a write and the readiness of each service, all at once and several times each."""
    requests = {}
    for service, running in services.items():
        read_path, write_path, body = ROAD[service]
        for n in range(4):  # more than a pool has connections, so that some wait for one
            requests[f"{service} GET {n}"] = ask(running, "GET", read_path, None)
            if write_path is not None:
                requests[f"{service} POST {n}"] = ask(running, "POST", write_path, body)
        requests[f"{service} ready"] = ask(running, "GET", "/health/ready", None)
    return dict(zip(requests, await asyncio.gather(*requests.values()), strict=True))


def assert_all_away(answers: dict[str, httpx.Response]) -> None:
    """Each is 503, says when to come again, and why."""
    for name, answer in answers.items():
        assert answer.status_code == 503, f"{name}: {answer.status_code} {answer.text}"
        assert int(answer.headers["Retry-After"]) > 0, name
        assert answer.json()["type"] == "unavailable", name


async def works_again(services: dict[Service, Running]) -> None:
    """Reads and readiness of all answer 200, before long and without a restart."""
    requests = [
        (running, path) for name, running in services.items() for path in (ROAD[name][0], "/health/ready")
    ]
    async with asyncio.timeout(90):
        for running, path in requests:
            await until_ok(running, path)


async def until_ok(running: Running, path: str) -> None:
    """Ask until the answer is 200."""
    async for _ in attempts():
        if (await running.get(path)).status_code == 200:
            return


async def started(system: Cingulum) -> dict[Service, Running]:
    """All services, each asked once so that it holds connections."""
    scopes = frozenset(Scope(p) for p in Permission if p is not Permission.PROVE)  # bound to a repository
    worker = Principal(ROOT.user_id, "root", is_superuser=True, scopes=scopes)
    services = {service: await system.start(service, worker) for service in STATEFUL}
    await works_again(services)
    return services


@pytest.mark.timeout(600)
async def test_a_stopped_database_is_503_until_it_restarts(system: Cingulum, own_postgres: Postgres) -> None:
    services = await started(system)
    await asyncio.to_thread(own_postgres.stop)
    assert_all_away(await look(services))
    await asyncio.to_thread(own_postgres.start)
    await works_again(services)


@pytest.mark.timeout(600)
async def test_a_hanging_database_is_503_until_it_recovers(system: Cingulum, own_postgres: Postgres) -> None:
    services = await started(system)
    with hung(own_postgres):
        assert_all_away(await look(services))
        assert_all_away(await look(services))
    await works_again(services)


@pytest.mark.timeout(600)
async def test_a_statement_under_way_when_the_database_hangs_ends_in_503(
    system: Cingulum, own_postgres: Postgres
) -> None:
    services = await started(system)
    metadata = services[Service.METADATA]
    asking = [asyncio.create_task(ask(metadata, "POST", "/labs", {"name": f"lab{n}"})) for n in range(20)]
    await asyncio.sleep(0)
    with hung(own_postgres):
        answers = await asyncio.gather(*asking)
    # Requests behind the first are told either that the database does not respond or that others are in progress.
    assert {503} <= {answer.status_code for answer in answers} <= {201, 429, 503}
    await works_again(services)


async def test_without_nats_a_service_is_ready_and_reports_that_it_is_degraded(system: Cingulum) -> None:
    system.environment = {**system.environment, "CINGULUM_NATS_URL": "nats://127.0.0.1:9"}
    metadata = await system.start(Service.METADATA)
    answer = await metadata.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded", "bus": "away"})

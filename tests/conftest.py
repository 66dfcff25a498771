"""Real servers for the tests: one PostgreSQL and one NATS a test process, one fresh database a test."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import nats
import nats.js.errors
import pytest
from hypothesis import HealthCheck, settings

from deploy.local.migrate import migrate
from deploy.local.servers import Nats, Postgres
from libs.common.bus import STREAM
from libs.common.migrate import Addresses
from libs.common.testing import Callers, settings_environment
from libs.common.testing.harness import SECRET
from tests.support.copied_databases import copied_database, copy_database, database_url, run_statement
from tests.support.portal import Site, standing
from tests.support.quick_services import quick_passwords
from tests.support.system import Cingulum

USUAL_S = 300.0  # as in pyproject.toml

# The same examples in every run, and no limit of time, so that a red run speaks of the change. To look for new
# ones: --hypothesis-profile=explore.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", _UNTIMED, derandomize=True, database=None)
settings.register_profile("explore", _UNTIMED, max_examples=2_000)
settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that may take longer than others say so, and are begun first: at the end all processes have work."""
    items.sort(key=_allowed_s, reverse=True)


def _allowed_s(item: pytest.Item) -> float:
    limit = item.get_closest_marker("timeout")
    return max(USUAL_S, limit.args[0]) if limit else USUAL_S


def pytest_collection_finish() -> None:
    """Garbage collection skips what was imported: walking all of that again and again took a tenth of the CPU time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this test process, not durable."""
    with Postgres.temporary() as server:
        yield server


@pytest.fixture(scope="session")
def nats_server() -> Iterator[Nats]:
    """A NATS of this test process."""
    with Nats.temporary() as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """The name of a migrated database that each test's own is copied from."""

    async def make() -> None:
        await run_statement(postgres.admin_url, "CREATE DATABASE template_cingulum")
        await migrate(Addresses(database_url(postgres.admin_url, "template_cingulum"), SECRET))

    asyncio.run(make())
    return "template_cingulum"


@pytest.fixture
async def database(postgres: Postgres, template: str) -> AsyncIterator[str]:
    """The administrator's address of a fresh, migrated database."""
    async with copied_database(postgres.admin_url, template) as url:
        yield url


@pytest.fixture
def callers() -> Callers:
    """One caller of each role."""
    return Callers()


@pytest.fixture
async def cingulum(database: str, nats_server: Nats, tmp_path: Path) -> AsyncIterator[Cingulum]:
    """A system without any service running yet, on a bus that knows nothing of other tests."""
    client = await nats.connect(nats_server.url)
    with contextlib.suppress(nats.js.errors.NotFoundError):
        await client.jetstream().delete_stream(STREAM)
    await client.close()
    environment = settings_environment(
        database, nats_server.url, CINGULUM_SWEEP_EVERY_S="0.5", CINGULUM_HOME=str(tmp_path / "home")
    )
    system = Cingulum(environment, database)
    async with system.stack:
        yield system


@pytest.fixture(scope="session")
def site_environment(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], dict[str, str]]:
    """Settings of a system with a database of its own; without a bus: other tests of this process empty it."""

    def create() -> dict[str, str]:
        url = asyncio.run(copy_database(postgres.admin_url, template))
        home = str(tmp_path_factory.mktemp("site") / "home")
        return settings_environment(url, None, CINGULUM_SWEEP_EVERY_S="0.5", CINGULUM_HOME=home)

    return create


@pytest.fixture(scope="session")
def site(site_environment: Callable[[], dict[str, str]]) -> Iterator[Site]:
    """A whole system on a real port with a colony in it, for tests that only look."""
    environment = site_environment()
    with ExitStack() as stack:
        with quick_passwords():
            running = stack.enter_context(standing(environment))
        yield running

"""Two labs and their users."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from deploy.local.servers import Postgres
from libs.common.testing import settings_environment
from tests.support.labs import Labs, two_labs
from tests.support.system import Cingulum

_numbers = itertools.count(1)


@pytest.fixture
async def labs(cingulum: Cingulum) -> Labs:
    """Labs and users, no subject yet."""
    return await two_labs(cingulum)


async def _run(admin_url: str, statement: str) -> None:
    connection = await asyncpg.connect(admin_url)
    await connection.execute(statement)
    await connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_labs(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Labs]:
    """Labs and users for all tests of a module: each uses subjects of its own, and none counts those of others.

    Use with `pytestmark = pytest.mark.asyncio(loop_scope="module")`. There is no bus.
    """
    name = f"shared_{uuid4().hex}"
    await _run(postgres.admin_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    url = f"{postgres.admin_url.rpartition('/')[0]}/{name}"
    home = str(tmp_path_factory.mktemp(name) / "home")
    async with AsyncExitStack() as stack:
        environment = settings_environment(url, None, CINGULUM_SWEEP_EVERY_S="2", CINGULUM_HOME=home)
        yield await two_labs(Cingulum(environment, url, stack))
    await _run(postgres.admin_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def nickname() -> str:
    """The nickname of a subject that no other test has."""
    return f"KS{next(_numbers):04d}"

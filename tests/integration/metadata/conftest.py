"""Two labs and their users."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.servers import Postgres
from tests.support.labs import Labs, shared_two_labs, two_labs
from tests.support.system import Cingulum

_numbers = itertools.count(1)


@pytest.fixture
async def labs(cingulum: Cingulum) -> Labs:
    """Labs and users, no subject yet."""
    return await two_labs(cingulum)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_labs(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Labs]:
    """Labs and users for all tests of a module: each uses subjects of its own, and none counts those of others.

    Use with `pytestmark = pytest.mark.asyncio(loop_scope="module")`. There is no bus.
    """
    async with shared_two_labs(postgres, template, str(tmp_path_factory.mktemp("labs") / "home")) as labs:
        yield labs


@pytest.fixture
def nickname() -> str:
    """The nickname of a subject that no other test has."""
    return f"KS{next(_numbers):04d}"

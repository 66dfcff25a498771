"""Two labs and their people, in front of all services that a test starts."""

from __future__ import annotations

import pytest

from tests.support.house import House, a_house
from tests.support.system import Cingulum


@pytest.fixture
async def house(cingulum: Cingulum) -> House:
    """Labs and people, no animal yet."""
    return await a_house(cingulum)

"""Two labs and their people, in front of all services that a test starts."""

from __future__ import annotations

import pytest

from tests.support.labs import Labs, two_labs
from tests.support.system import Cingulum


@pytest.fixture
async def labs(cingulum: Cingulum) -> Labs:
    """Labs and people, no animal yet."""
    return await two_labs(cingulum)

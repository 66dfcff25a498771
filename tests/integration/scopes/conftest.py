"""What the tests of tokens share."""

from __future__ import annotations

import pytest

from tests.support.places import Places, three_places
from tests.support.system import Cingulum


@pytest.fixture
async def places(cingulum: Cingulum) -> Places:
    """Three places of work."""
    return await three_places(cingulum)

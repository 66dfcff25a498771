"""Fixtures of the tests of tokens."""

from __future__ import annotations

import pytest

from tests.support.places import Places, three_places
from tests.support.system import Cingulum


@pytest.fixture
async def places(cingulum: Cingulum) -> Places:
    """Three places, in two labs and two projects."""
    return await three_places(cingulum)

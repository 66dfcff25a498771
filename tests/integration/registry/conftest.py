"""A lab with one session, ready for files."""

from __future__ import annotations

import pytest

from tests.support.lab import Laboratory, laboratory
from tests.support.system import Cingulum


@pytest.fixture
async def lab(cingulum: Cingulum) -> Laboratory:
    """One lab, one animal, one session, three repositories."""
    return await laboratory(cingulum)

"""A lab with one session, ready for files."""

from __future__ import annotations

import pytest

from tests.support.lab import Laboratory, laboratory
from tests.support.releases import Paper, a_paper
from tests.support.system import Cingulum


@pytest.fixture
async def lab(cingulum: Cingulum) -> Laboratory:
    """One lab, one animal, one session, three repositories."""
    return await laboratory(cingulum)


@pytest.fixture
async def paper(lab: Laboratory) -> Paper:
    """A draft of a file of the lab that was never read."""
    return await a_paper(lab)

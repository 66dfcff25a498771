"""The examples in the storage package's docstrings are true."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from libs.common.storage import digests, parts, store, tree


@pytest.mark.parametrize("module", [digests, parts, store, tree])
def test_the_examples_are_true(module: ModuleType) -> None:
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0

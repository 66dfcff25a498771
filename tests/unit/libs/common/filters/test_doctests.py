"""The examples in the filters package's docstrings are true."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from libs.common.filters import patterns, texts, values


@pytest.mark.parametrize("module", [patterns, texts, values])
def test_the_examples_are_true(module: ModuleType) -> None:
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0

"""The examples in transfer's docstrings are true."""

from __future__ import annotations

import doctest

import pytest

from services.transfer import domain
from services.transfer.routes import bodies


@pytest.mark.parametrize("module", [domain, bodies])
def test_the_examples_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]

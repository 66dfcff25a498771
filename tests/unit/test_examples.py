"""The examples in the docstrings of the shared library and of the services are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _with_examples() -> list[str]:
    """Modules with an example in them."""
    files = [path for package in ("libs", "services") for path in (ROOT / package).rglob("*.py")]
    told = [
        path.relative_to(ROOT)
        for path in files
        if ">>>" in path.read_text() and "migrations" not in path.parts
    ]
    return sorted(".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in told)


@pytest.mark.parametrize("name", _with_examples())
def test_the_examples_of_the_docstrings_are_true(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted > 0
    assert outcome.failed == 0

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import cingulum.figures as package

MODULES = [
    package.__name__,
    *(f"{package.__name__}.{one.name}" for one in pkgutil.iter_modules(package.__path__)),
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_run(name: str) -> None:
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0

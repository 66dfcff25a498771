"""The worked examples in the docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import cingulum.genetics
import cingulum.welfare

MODULES = [
    f"{package.__name__}.{module.name}"
    for package in (cingulum.welfare, cingulum.genetics)
    for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_in_a_docstring_gives_what_it_says(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0

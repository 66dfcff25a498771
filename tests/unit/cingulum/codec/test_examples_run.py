"""The examples in the docstrings of the package are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import cingulum.codec

MODULES = [
    cingulum.codec.__name__,
    *(f"{cingulum.codec.__name__}.{m.name}" for m in pkgutil.iter_modules(cingulum.codec.__path__)),
]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0

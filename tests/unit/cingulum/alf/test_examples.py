"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import cingulum.alf

_MODULES = sorted(found.name for found in pkgutil.iter_modules(cingulum.alf.__path__))


@pytest.mark.parametrize("name", _MODULES)
def test_the_examples_of_the_docstrings_are_true(name: str) -> None:
    module = importlib.import_module(f"cingulum.alf.{name}")
    assert doctest.testmod(module).failed == 0

"""Each worked example in the analyses runs and gives what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import cingulum.analysis

MODULES = [found.name for found in pkgutil.iter_modules(cingulum.analysis.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name: str) -> None:
    module = importlib.import_module(f"cingulum.analysis.{name}")
    assert doctest.testmod(module).failed == 0

"""The examples in the docstrings of the worker are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import cingulum.worker

MODULES = [found.name for found in pkgutil.walk_packages(cingulum.worker.__path__, "cingulum.worker.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0

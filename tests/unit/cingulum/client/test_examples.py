"""The examples in the docstrings of `cingulum.client` are true."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["connection", "login", "one_setup", "loading.file", "loading.kinds"])
def test_examples_of_a_module_are_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"cingulum.client.{name}"))
    assert found.attempted > 0
    assert found.failed == 0

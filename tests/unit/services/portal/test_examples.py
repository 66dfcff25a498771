"""The examples in the portal's docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from services.portal import pages


@pytest.mark.parametrize("name", [found.name for found in pkgutil.iter_modules(pages.__path__)])
def test_examples_run(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(f"services.portal.pages.{name}"))
    assert not failed

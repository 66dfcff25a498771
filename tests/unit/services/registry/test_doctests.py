"""The examples in registry's pure parts are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import services.registry.domain

MODULES = [
    f"services.registry.domain.{found.name}"
    for found in pkgutil.iter_modules(services.registry.domain.__path__)
]


OTHERS = [
    "libs.common.schemas.files.values",
    "services.registry.operations.vocabularies",
    "services.registry.routes.data_paths",
    "services.registry.routes.shapes",
]


@pytest.mark.parametrize("name", [*MODULES, *OTHERS])
def test_examples_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0

"""The same packages in every service, and file names that say what is in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.common.catalogue import SEGMENTS, Service

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"
PACKAGES = {
    "README.md",
    "__init__",
    "app",
    "settings",
    "routes",
    "operations",
    "domain",
    "queries",
    "models",
    "events",
    "migrations",
}
MORE = {
    Service.METADATA: {"adapters"},
    Service.PORTAL: {"pages", "templates", "static"},
    Service.GATEWAY: {"compression", "proxy", "static"},
}
LAYERS = ("routes", "operations", "domain", "queries", "models")
# Catch-all names.
REFUSED = {"utils", "util", "helpers", "helper", "misc", "common", "shared", "stuff", "tools", "functions"}


def _modules(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.py")) if "migrations" not in path.parts)


def test_the_services_are_those_of_the_catalogue() -> None:
    folders = {path.name for path in SERVICES.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {str(service) for service in Service}
    assert set(SEGMENTS.values()) == set(Service)


@pytest.mark.parametrize("service", Service)
def test_a_service_has_no_other_packages(service: Service) -> None:
    names = {
        path.stem if path.suffix == ".py" else path.name
        for path in (SERVICES / service).iterdir()
        if path.name != "__pycache__"
    }
    assert names <= PACKAGES | MORE.get(service, set())


@pytest.mark.parametrize("package", ["cingulum", "libs", "services", "deploy"])
def test_no_file_has_a_catch_all_name(package: str) -> None:
    stems = {path: path.stem for path in _modules(ROOT / package)}
    assert [str(path.relative_to(ROOT)) for path, stem in stems.items() if stem.strip("_") in REFUSED] == []


@pytest.mark.parametrize("service", Service)
def test_code_of_a_layer_is_in_named_files(service: Service) -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    definitions = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for layer in LAYERS
        if (path := SERVICES / service / layer / "__init__.py").exists()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, kinds)
    ]
    assert definitions == []

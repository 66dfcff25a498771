"""One noun has one file name in the layers of a service and in the schemas of its bodies."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "libs" / "common" / "schemas"
BASES = {"BodyRecord", "BodySchema", "Record", "Schema"}
SHARED = {f"libs.common.schemas.{name}" for name in ("ids", "pages", "times")}  # of no noun

# Modules in `routes` without an operation or query of their name, with the reason.
WITHOUT_NOUN = {
    "compressor/raw": "the bytes of recordings, which operations/recordings.py opens",
    "compressor/responses": "headers and media types that routes of slices and raw bytes share",
    "registry/shapes": "datasets, file records and retirements as responses show them",
    "transfer/bodies": "reads request bodies that are bytes: parts and bundles",
}


def _name(path: Path) -> str:
    return f"{path.parts[-3]}/{path.stem}"


ROUTES = {
    _name(path): path
    for path in sorted((ROOT / "services").glob("*/routes/*.py"))
    if path.stem != "__init__" and _name(path) not in WITHOUT_NOUN
}


def _has_bodies(tree: ast.Module) -> bool:
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return any(module.startswith("libs.common.schemas.") for module in modules - SHARED)


def _bodies_in(tree: ast.Module) -> list[str]:
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return [node.name for node in classes if BASES & {ast.unparse(base) for base in node.bases}]


@pytest.mark.parametrize("name", ROUTES)
def test_routes_have_operations_or_queries_of_the_same_name(name: str) -> None:
    service, stem = ROUTES[name].parents[1], ROUTES[name].stem
    assert any((service / layer / f"{stem}.py").exists() for layer in ("operations", "queries"))


@pytest.mark.parametrize("name", ROUTES)
def test_bodies_of_routes_are_in_schemas_of_the_same_name(name: str) -> None:
    tree = ast.parse(ROUTES[name].read_text())
    assert _bodies_in(tree) == [], "bodies belong to libs/common/schemas"
    assert not _has_bodies(tree) or list(SCHEMAS.rglob(f"{ROUTES[name].stem}.py"))


def test_filters_of_lists_are_in_list_filters() -> None:
    modules = [path for path in (ROOT / "services").rglob("*.py") if "list_filters" not in str(path)]
    classes = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and "ListFilters" in {ast.unparse(base) for base in node.bases}
    ]
    assert classes == []


def test_no_exception_is_stale() -> None:
    names = {_name(path) for path in (ROOT / "services").glob("*/routes/*.py")}
    assert set(WITHOUT_NOUN) <= names
    for name in WITHOUT_NOUN:
        service, stem = name.split("/")
        layers = [ROOT / "services" / service / layer / f"{stem}.py" for layer in ("operations", "queries")]
        assert not any(path.exists() for path in layers), name

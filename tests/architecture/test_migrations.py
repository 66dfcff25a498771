"""Migrations are one numbered chain per service."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from libs.common.catalogue import STATEFUL, Service

ROOT = Path(__file__).parents[2]


def _files(service: Service) -> list[Path]:
    return sorted((ROOT / "services" / service / "migrations" / "versions").glob("*.py"))


def _constants(file: Path) -> dict[str, object]:
    """The module's constants: `revision`, `down_revision` and so on."""
    return {
        target.id: ast.literal_eval(node.value)
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@pytest.mark.parametrize("service", STATEFUL)
def test_each_migration_is_numbered_and_follows_the_one_before(service: Service) -> None:
    previous = None
    for number, file in enumerate(_files(service), start=1):
        constants = _constants(file)
        assert file.name.startswith(f"{number:04d}_"), f"{file.name} should be number {number:04d}"
        assert constants["down_revision"] == previous, f"{file.name} does not follow {previous}"
        previous = constants["revision"]


@pytest.mark.parametrize("service", STATEFUL)
def test_no_migration_keeps_the_comments_of_its_generator(service: Service) -> None:
    assert [file.name for file in _files(service) if "auto generated" in file.read_text()] == []


@pytest.mark.parametrize("service", STATEFUL)
def test_no_migration_drops_what_pods_of_the_version_before_use(service: Service) -> None:
    drops = ("drop_table(", "drop_column(", "DROP TABLE", "DROP COLUMN")
    assert [file.name for file in _files(service) if any(drop in file.read_text() for drop in drops)] == []

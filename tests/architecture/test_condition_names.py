"""Functions that return a condition of a statement are named as what they state: `is_…`, `has_…` or `contains`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TYPES = {"Condition", "sa.ColumnElement[bool]"}
NAME = re.compile(r"_?(is|has|contains)(_\w+)?")


def misnamed(source: str) -> list[str]:
    """Names of a module's functions that return a condition and are not named so."""
    functions = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    conditions = (node for node in functions if node.returns and ast.unparse(node.returns) in TYPES)
    return [node.name for node in conditions if not NAME.fullmatch(node.name)]


def test_a_misnamed_condition_is_noticed() -> None:
    source = (
        "def jobs_visible() -> Condition: ...\ndef is_job_visible() -> Condition: ...\ndef f() -> int: ..."
    )
    assert misnamed(source) == ["jobs_visible"]


@pytest.mark.parametrize("package", ["libs", "services"])
def test_conditions_are_named_as_what_they_state(package: str) -> None:
    paths = sorted((ROOT / package).rglob("*.py"))
    names = {str(path.relative_to(ROOT)): misnamed(path.read_text(encoding="utf-8")) for path in paths}
    assert {path: wrong for path, wrong in names.items() if wrong} == {}

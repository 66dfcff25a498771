"""Query functions return values, and say by their verb what they lock and what a missing row means.

As decided in docs/decisions/0008-names-and-statements.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"\b[A-Z]\w*Row\b|\b(Named|Any)\b")  # Named: a row of any vocabulary
LOCKS = re.compile(r"(find_and_)?(lock|create|insert|update)_")
FINDS = re.compile(r"_?find_|_?(fetch|lock)(_|$)")


def _query_files() -> Iterator[Path]:
    yield from sorted(ROOT.glob("services/*/queries/**/*.py"))
    yield from sorted(ROOT.glob("services/*/queries.py"))
    yield from (ROOT / "libs" / "common" / name for name in ("bus/inbox.py", "targets.py", "db/audit.py"))


def _violations(source: str, name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AsyncFunctionDef):
            returned = "" if node.returns is None else ast.unparse(node.returns)
            for match in ROW.finditer(returned):
                if match[0] == "Any" or not LOCKS.match(node.name):
                    yield f"{name}:{node.lineno} {node.name} -> {returned}"


def test_no_query_function_returns_anything_or_a_row_that_is_not_locked() -> None:
    files = list(_query_files())
    assert len(files) > 60
    violations = [
        violation
        for file in files
        for violation in _violations(file.read_text(), str(file.relative_to(ROOT)))
    ]
    assert violations == []


def _of_missing_rows(source: str, name: str) -> Iterator[str]:
    """Functions whose verb and result differ in what a missing row is; None for no name is no missing row."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AsyncFunctionDef) and FINDS.match(node.name):
            returned = "" if node.returns is None else ast.unparse(node.returns)
            is_optional = "name: str | None" in ast.unparse(node.args)
            may_be_none = returned.endswith("| None") and not is_optional
            if may_be_none != node.name.lstrip("_").startswith("find_"):
                yield f"{name}:{node.lineno} {node.name} -> {returned}"


def test_find_returns_none_for_a_missing_row_and_fetch_and_lock_raise() -> None:
    violations = [
        violation
        for file in _query_files()
        for violation in _of_missing_rows(file.read_text(), str(file.relative_to(ROOT)))
    ]
    assert violations == []


def test_a_verb_that_differs_from_its_result_is_noticed() -> None:
    source = """
async def fetch_lab(session) -> Lab | None: ...
async def find_lab(session) -> Lab: ...
async def lock_lab(session) -> LabRow | None: ...
async def find_and_lock_lab(session) -> LabRow | None: ...
async def fetch_id(session, name: str | None) -> UUID | None: ...
"""
    names = [line.split()[1] for line in _of_missing_rows(source, "a.py")]
    assert names == ["fetch_lab", "find_lab", "lock_lab"]


def test_the_rule_notices_any_and_unlocked_rows() -> None:
    source = """
async def fetch_term(session) -> Mapping[str, Any]: ...
async def fetch_tags(session) -> dict[str, TagRow]: ...
async def lock_dataset(session) -> tuple[DatasetRow, bool] | None: ...
async def fetch_lab(session) -> Lab: ...
"""
    assert [line.split()[1] for line in _violations(source, "a.py")] == ["fetch_term", "fetch_tags"]

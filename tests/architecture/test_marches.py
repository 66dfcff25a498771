"""A test is about one behaviour: none marches through many."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
MOST = 14  # assert statements


def long_tests(source: str, most: int = MOST) -> Iterator[str]:
    """Names of the tests of a module that have more assert statements."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            n_asserts = sum(isinstance(child, ast.Assert) for child in ast.walk(node))
            if n_asserts > most:
                yield f"{node.name}: {n_asserts}"


def test_no_test_has_many_asserts() -> None:
    tests = {
        path.relative_to(TESTS).as_posix(): [*long_tests(path.read_text())]
        for path in TESTS.rglob("test_*.py")
    }
    assert {name: long for name, long in tests.items() if long} == {}, "split them by behaviour"


def test_asserts_in_loops_and_blocks_count_once() -> None:
    source = "async def test_it() -> None:\n    for n in range(9):\n        assert n\n    assert True"
    assert [*long_tests(source, 2)] == []
    assert [*long_tests(source, 1)] == ["test_it: 2"]

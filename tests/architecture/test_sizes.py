"""Functions and files of the product are short enough to be read as a whole."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("cingulum", "libs", "services", "deploy", "bench", "examples")
MAX_FUNCTION_LINES = 45  # without its docstring
MAX_FILE_LINES = 300

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _files() -> Iterator[Path]:
    """Every Python file except migrations, which list the tables of a service once and are never changed."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in file.parts:
                yield file


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _lines(function: Function) -> int:
    """Lines from the signature to the end, without the docstring."""
    docstring = _span(function.body[0]) if ast.get_docstring(function) else 0
    return _span(function) - docstring


def _span(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_are_short() -> None:
    long = {
        f"{file.relative_to(ROOT)}:{function.lineno} {function.name}": _lines(function)
        for file in _files()
        for function in _functions(ast.parse(file.read_text(encoding="utf-8")))
        if _lines(function) > MAX_FUNCTION_LINES
    }
    assert not long, "split it into steps that have names of their own"


def test_files_are_short() -> None:
    lines = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in _files()
    }
    long = {file: n for file, n in lines.items() if n > MAX_FILE_LINES}
    assert not long, "split it by the nouns it is about"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def short(): ...", 1),
        ('def documented():\n    """Two\n    lines."""\n    return 1', 2),
        ("@decorated\nasync def signature(\n    a,\n):\n    return a", 4),
    ],
)
def test_lines_are_counted_without_docstring_and_decorators(source: str, lines: int) -> None:
    [function] = _functions(ast.parse(source))
    assert _lines(function) == lines

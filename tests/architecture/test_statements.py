"""Statements are built and sent in `queries`: neither routes nor operations hold SQL."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = ("routes", "operations")
BUILDERS = frozenset({"select", "insert", "update", "delete"})
# Methods of a session or connection that send a statement, at once or with the next flush.
SENDERS = frozenset(
    {
        "add",
        "add_all",
        "delete",
        "execute",
        "flush",
        "get",
        "get_one",
        "merge",
        "refresh",
        "scalar",
        "scalars",
        "stream",
        "stream_scalars",
    }
)
_SERVICES = ("compressor", "metadata", "registry", "scheduler", "transfer")


def statements(source: str) -> list[str]:
    """The lines of a module that build or send a statement, each with what it calls."""
    return [
        f"{node.lineno} {name}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and (name := _statement(node.func))
    ]


def _statement(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id if function.id == "insert" else ""  # of a dialect
    if not isinstance(function, ast.Attribute):
        return ""
    owner = ast.unparse(function.value)
    builds = owner in {"sa", "sqlalchemy"} and function.attr in BUILDERS
    sends = owner.rpartition(".")[2] in {"session", "connection"} and function.attr in SENDERS
    return f"{owner}.{function.attr}" if builds or sends or function.attr == "where" else ""


def _lines(service: str) -> Iterator[str]:
    for layer in LAYERS:
        folder = ROOT / "services" / service / layer
        for path in sorted([*folder.rglob("*.py"), *folder.parent.glob(f"{layer}.py")]):
            for line in statements(path.read_text(encoding="utf-8")):
                yield f"{path.relative_to(ROOT)}:{line}"


def test_a_statement_is_noticed() -> None:
    source = "sa.select(a)\nrows.where(b)\nawait tx.session.scalar(c)\ninsert(d)\nqueries.list_labs(session)"
    assert statements(source) == ["1 sa.select", "2 rows.where", "4 insert", "3 tx.session.scalar"]


@pytest.mark.parametrize("call", ["flush()", "get(Row, row_id)", "add(row)", "refresh(row)"])
def test_a_call_of_a_session_is_noticed(call: str) -> None:
    name = call.partition("(")[0]
    assert statements(f"await tx.session.{call}") == [f"1 tx.session.{name}"]
    assert statements(f"await session.{call}") == [f"1 session.{name}"]


@pytest.mark.parametrize("service", _SERVICES)
def test_routes_and_operations_hold_no_statement(service: str) -> None:
    assert [*_lines(service)] == []

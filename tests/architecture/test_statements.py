"""Statements are built and sent in `queries`: no other layer of a service holds SQL or calls a session.

Import contracts refuse SQLAlchemy outside `queries` and `models`; here are the calls that need no import.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = ("app", "routes", "events", "operations", "adapters", "domain")
# Methods of a session or connection that send a statement, at once or with the next flush, or lead to one that does.
SENDERS = frozenset(
    {
        "add",
        "add_all",
        "begin_nested",
        "connection",
        "delete",
        "exec_driver_sql",
        "execute",
        "flush",
        "get",
        "get_one",
        "merge",
        "refresh",
        "run_sync",
        "scalar",
        "scalars",
        "stream",
        "stream_scalars",
    }
)
# Names that other objects have as methods too: these count where the owner is known to be a session.
COMMON = frozenset({"add", "delete", "get", "merge", "refresh", "stream"})
SESSIONS = frozenset({"session", "connection", "sync_session"})
TYPES = frozenset(
    {"AsyncConnection", "AsyncSession", "LongReading", "ReadSession", "Reading", "WriteSession"}
)
_SERVICES = ("compressor", "gateway", "metadata", "portal", "registry", "scheduler", "transfer")


def statements(source: str) -> list[str]:
    """The lines of a module that build or send a statement, each with what it calls."""
    tree = ast.parse(source)
    sessions = SESSIONS | _names_of_sessions(tree)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [f"{call.lineno} {name}" for call in calls if (name := _statement(call.func, sessions))]


def _statement(function: ast.expr, sessions: frozenset[str]) -> str:
    if not isinstance(function, ast.Attribute):
        return ""
    is_sender = function.attr in SENDERS and (
        function.attr not in COMMON or _is_session(function.value, sessions)
    )
    return ast.unparse(function) if is_sender or function.attr == "where" else ""


def _is_session(owner: ast.expr, sessions: frozenset[str]) -> bool:
    if isinstance(owner, ast.Await):
        return _is_session(owner.value, sessions)
    if isinstance(owner, ast.Call):
        return isinstance(owner.func, ast.Attribute) and owner.func.attr in {"begin", "connection", "read"}
    return ast.unparse(owner).rpartition(".")[2] in sessions


def _names_of_sessions(tree: ast.AST) -> frozenset[str]:
    """Parameters of a session's type, and names that a session is assigned to."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            words = {name.id for name in ast.walk(node.annotation) if isinstance(name, ast.Name)}
            target = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
            names |= {target} if words & TYPES else set()
        elif isinstance(node, ast.Assign) and _is_session(node.value, SESSIONS):
            names |= {ast.unparse(target) for target in node.targets}
        elif isinstance(node, ast.NamedExpr) and _is_session(node.value, SESSIONS):
            names.add(node.target.id)
    return frozenset(names)


def _lines(service: str) -> Iterator[str]:
    for layer in LAYERS:
        folder = ROOT / "services" / service / layer
        for path in sorted([*folder.rglob("*.py"), *folder.parent.glob(f"{layer}.py")]):
            for line in statements(path.read_text(encoding="utf-8")):
                yield f"{path.relative_to(ROOT)}:{line}"


def test_a_statement_is_noticed() -> None:
    source = "rows.where(b)\nawait tx.session.scalar(c)\nqueries.list_labs(session)"
    assert statements(source) == ["1 rows.where", "2 tx.session.scalar"]


@pytest.mark.parametrize("name", sorted(SENDERS))
def test_a_call_of_a_session_is_noticed(name: str) -> None:
    assert statements(f"await tx.session.{name}(row)") == [f"1 tx.session.{name}"]
    assert statements(f"await session.{name}(row)") == [f"1 session.{name}"]


@pytest.mark.parametrize(
    "source",
    [
        "s = tx.session; s.get(Row)",
        "async def f(rows: ReadSession): rows.get(Row)",
        "(s := tx.session); s.get(Row)",
        "async def f(c: Annotated[AsyncConnection, 1]): c.stream(1)",
        "(await tx.session.connection()).execute(1)",
        "anything.execute(1)",
    ],
)
def test_a_session_of_another_name_is_noticed(source: str) -> None:
    assert statements(source)


def test_methods_of_the_same_name_elsewhere_pass() -> None:
    assert statements("cache.get(key); names.add(name); store.delete(sha256); request.stream()") == []


@pytest.mark.parametrize("service", _SERVICES)
def test_only_queries_hold_statements(service: str) -> None:
    assert [*_lines(service)] == []

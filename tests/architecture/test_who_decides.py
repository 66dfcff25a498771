"""Who may do what is decided in libs/common/permissions.py and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROLES = {"is_superuser", "is_stock_manager", "delegators", "scopes"}  # of a Principal
CALLERS = {"by", "who", "principal", "caller"}
# Each shows or narrows what `may_on` has allowed, and allows nothing by itself.
ALLOWED = {
    (
        "services/metadata/domain/subjects.py",
        "may_give_away",
    ),  # a responsible user decides, beyond the right to change
    ("services/metadata/domain/tokens.py", "check_new_token"),  # only administrators enrol workers
    ("services/metadata/domain/tokens.py", "parent_token_id"),  # what it is revoked with
    ("services/metadata/domain/tokens.py", "is_visible_to"),  # which of the caller's own tokens are shown
    ("services/metadata/routes/users.py", "me"),  # shows them
    ("services/transfer/queries/uploads.py", "is_own"),  # which uploads are shown
}


def _functions(path: Path) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def _sources() -> Iterator[Path]:
    for service in ("metadata", "registry", "scheduler", "transfer", "compressor"):
        yield from sorted((ROOT / "services" / service).rglob("*.py"))


def test_no_service_looks_at_roles_or_scopes_of_a_caller() -> None:
    decisions = set()
    for path in _sources():
        for name, function in _functions(path):
            for node in ast.walk(function):
                is_role = isinstance(node, ast.Attribute) and node.attr in ROLES
                if is_role and isinstance(node.value, ast.Name) and node.value.id in CALLERS:  # type: ignore[attr-defined]
                    decisions.add((str(path.relative_to(ROOT)), name))
    assert decisions - ALLOWED == set(), "ask may_on of libs/common/permissions.py"
    assert ALLOWED - decisions == set(), "the exceptions are out of date"


def test_routes_require_permissions_somewhere_and_operations_on_the_object() -> None:
    """`may` knows no object: only `requires` calls it."""
    for path in [*_sources(), *sorted((ROOT / "libs").rglob("*.py"))]:
        if path.name == "permissions.py" or path.match("libs/common/auth.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "libs.common.permissions":
                names = {alias.name for alias in node.names}
                assert "may" not in names, f"{path.relative_to(ROOT)}: decide on the object with may_on"

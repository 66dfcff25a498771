"""What a module imports, and what that imports in turn, read from the source without running it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("cingulum", "libs", "services", "deploy")
_DISTRIBUTIONS = packages_distributions()


def modules_below(package: str) -> list[str]:
    """Every module of a package, by its dotted name."""
    folder = ROOT / package.replace(".", "/")
    names = (file.relative_to(ROOT).with_suffix("") for file in sorted(folder.rglob("*.py")))
    return [".".join(name.parts).removesuffix(".__init__") for name in names]


def foreign_imports(modules: Iterable[str]) -> dict[str, str]:
    """Every module of others that these need, directly or not → the module of ours that imports it first.

    Imports under `TYPE_CHECKING` do not count, nor do optional ones (`try: import … except ImportError`).
    """
    todo, visited, foreign = list(modules), set[str](), dict[str, str]()
    while todo:
        module = todo.pop()
        if module in visited:
            continue
        visited.add(module)
        # Importing a.b.c runs a and a.b as well.
        todo += [module.rpartition(".")[0]] if "." in module else []
        for name in _imports(file_of(module)):
            if name.partition(".")[0] in OURS:
                todo += [owner] if (owner := _module_of(name)) else []
            elif name.partition(".")[0] not in sys.stdlib_module_names:
                foreign.setdefault(name, module)
    return foreign


def import_graph(packages: Iterable[str]) -> dict[str, set[str]]:
    """The modules of our own that each module imports, also within functions and under `TYPE_CHECKING`."""
    names = {name for package in packages for name in modules_below(package)}
    return {name: {module for module in _named_in(file_of(name), names) if module != name} for name in names}


def _named_in(file: Path, names: set[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                if submodule in names or node.module in names:
                    yield submodule if submodule in names else node.module


def cycles(graph: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Groups of modules that reach one another, each sorted.

    >>> cycles({"a": {"b"}, "b": {"a"}, "c": {"a"}})
    [('a', 'b')]
    """
    reached = {name: _reachable(graph, name) for name in graph}
    groups = {
        tuple(sorted(other for other in reached[name] if name in reached[other]))
        for name in graph
        if name in reached[name]
    }
    return sorted(groups)


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """All that a module imports, directly or not; itself only in a cycle."""
    todo, reached = [*graph[start]], set[str]()
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += graph[name]
    return reached


def distributions_of(module: str) -> set[str]:
    """The installed distributions that may bring a module, normalised as in requirement files."""
    top = module.partition(".")[0]
    return {name.lower().replace("_", "-").replace(".", "-") for name in _DISTRIBUTIONS.get(top, [])}


def file_of(module: str) -> Path:
    """The file of a module's code."""
    place = ROOT / module.replace(".", "/")
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _module_of(name: str) -> str | None:
    """`a.b.c` is a module, or the name `c` in the module `a.b`."""
    for candidate in (name, name.rpartition(".")[0]):
        if candidate and file_of(candidate).exists():
            return candidate
    return None


def _imports(file: Path) -> Iterator[str]:
    return _needed(ast.parse(file.read_text()).body if file.exists() else [])  # a namespace has no file


def _needed(statements: Iterable[ast.stmt]) -> Iterator[str]:
    for statement in statements:
        match statement:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from _needed(statement.orelse)
            case ast.Try(handlers=handlers) if any("ImportError" in _text(h.type) for h in handlers):
                pass
            case _:
                inner = (child for child in ast.iter_child_nodes(statement))
                yield from _needed(child for child in _flat(inner) if isinstance(child, ast.stmt))


def _flat(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Statements straight below, also those in a handler or a case."""
    for node in nodes:
        if isinstance(node, ast.ExceptHandler | ast.match_case):
            yield from node.body
        else:
            yield node


def _text(node: ast.expr | None) -> str:
    return ast.unparse(node) if node is not None else ""

"""Which functions, classes and constants code uses, directly or not, read from the source without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from tests.support.imports import OURS, file_of, modules_below


class Symbol(NamedTuple):
    """A name that a module binds at its top."""

    module: str
    name: str


@dataclass
class _Module:
    name: str
    imported: dict[str, Symbol] = field(default_factory=dict)  # with an empty name: the module itself
    bound: dict[str, list[ast.stmt]] = field(default_factory=dict)
    statements: list[ast.stmt] = field(default_factory=list)


def uses(modules: Iterable[str]) -> set[Symbol]:
    """Every symbol of ours that these modules use; functions of other modules count with what they use themselves."""
    todo = [symbol for name in modules for node in _read(name).statements for symbol in _named(name, node)]
    reached = set[Symbol]()
    while todo:
        symbol = todo.pop()
        if symbol in reached or not symbol.name:
            continue
        reached.add(symbol)
        module = _read(symbol.module)
        if symbol.name in module.imported:
            todo.append(module.imported[symbol.name])
        for node in module.bound.get(symbol.name, []):
            todo += _named(symbol.module, node)
    return reached


@cache
def _names() -> frozenset[str]:
    return frozenset(name for package in OURS for name in modules_below(package))


@cache
def _read(name: str) -> _Module:
    module = _Module(name)
    module.statements = ast.parse(file_of(name).read_text(encoding="utf-8")).body
    for statement in module.statements:
        for bound in _bound(statement):
            module.bound.setdefault(bound, []).append(statement)
    for statement in module.statements:
        for node in ast.walk(statement):
            match node:
                case ast.Import(names=names):
                    for alias in names:
                        if alias.asname and alias.name in _names():
                            module.imported[alias.asname] = Symbol(alias.name, "")
                case ast.ImportFrom(module=str(source), names=names):
                    for alias in names:
                        if (submodule := f"{source}.{alias.name}") in _names():
                            module.imported[alias.asname or alias.name] = Symbol(submodule, "")
                        elif source in _names():
                            module.imported[alias.asname or alias.name] = Symbol(source, alias.name)
                case _:
                    pass
    return module


def _bound(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.If() | ast.Try() | ast.For() | ast.With():
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    yield part.id
        case _:
            pass


def _named(module: str, node: ast.stmt) -> list[Symbol]:
    """The symbols that a statement names: `name`, `module.name`; imports alone use nothing."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return []
    symbols = []
    for part in ast.walk(node):
        match part:
            case ast.Name(id=name):
                symbols += _resolved(module, name)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                imported = _read(module).imported.get(owner)
                if imported is not None and not imported.name:
                    symbols.append(Symbol(imported.module, name))
            case _:
                pass
    return symbols


def _resolved(module: str, name: str) -> list[Symbol]:
    module_symbols = _read(module)
    if name in module_symbols.imported:
        return [module_symbols.imported[name]]
    return [Symbol(module, name)] if name in module_symbols.bound else []

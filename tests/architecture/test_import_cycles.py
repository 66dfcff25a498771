"""No module needs a module that needs it: imports of modules form no cycle."""

from __future__ import annotations

from tests.support.imports import cycles, import_graph


def test_a_cycle_is_noticed() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set[str]()}
    assert cycles(graph) == [("b", "c")]


def test_modules_do_not_import_one_another() -> None:
    graph = import_graph(("cingulum", "libs", "services", "deploy"))
    assert len(graph) > 300
    assert cycles(graph) == []

"""The graph of a session's jobs, however many wait for each other."""

from __future__ import annotations

from services.portal.pages.jobs import graph


def test_a_thousand_jobs_that_all_wait_for_those_before_are_drawn() -> None:
    names = [f"{n:04d}" for n in range(1000)]
    jobs = [{"id": name, "task": "fit"} for name in reversed(names)]
    nodes = graph(jobs, {name: names[:n] for n, name in enumerate(names)})
    assert [(node.job["id"], node.row, node.column) for node in nodes] == [
        (name, n, n) for n, name in enumerate(names)
    ]


def test_jobs_that_wait_for_each_other_are_drawn_too() -> None:
    jobs = [{"id": name, "task": name} for name in "abc"]
    nodes = graph(jobs, {"a": ["c"], "b": ["a", "a"], "c": ["b", "c"]})
    assert sorted(node.job["id"] for node in nodes) == ["a", "b", "c"]
    assert {node.row for node in nodes} == {0, 1, 2}

"""No test depends on the machine's speed: none sleeps in the hope that something happens, or compares elapsed time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SHORTEST_S = 30  # of a limit within which something has to succeed
CLOCKS = frozenset(
    {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "thread_time"}
)
# Where sleeping or measuring is what the file is about, and why no outcome depends on it.
ALLOWED = {
    "integration/common/test_held_loop.py": "burns CPU time, and waits without using any",
    "support/fake_server.py": "a claim that waits for a job, as the scheduler's does",
    "support/held_loop.py": "compares a step's CPU time with that of a fixed piece of work",
    "support/killed_services.py": "the moment of a kill is drawn; every one is right",
    "support/waiting.py": "the helpers that all others use",
    "unit/cingulum/cli/test_codec_killed.py": "the moment of a kill is drawn; every one is right",
    "unit/cingulum/codec/test_container.py": "the moment of a kill is drawn; every one is right",
}


def offences(source: str) -> list[str]:
    """What sleeps, reads a clock of elapsed time, or sets a short limit, each with its line."""
    return [
        f"{node.lineno} {offence}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and (offence := _offence(node))
    ]


def _offence(call: ast.Call) -> str:
    name = ast.unparse(call.func)
    last = name.rpartition(".")[2]
    value = _number(call.args[0]) if call.args else None
    if last == "sleep":
        return "" if value == 0 else f"{name}: wait for a condition by tests/support/waiting.py"
    if last in CLOCKS or name.endswith("loop().time"):
        return f"{name}: inject a clock, or count what was done"
    limit = _limit(call, name)
    return f"{name}: {limit} s may be too short for a busy machine" if limit is not None else ""


def _limit(call: ast.Call, name: str) -> float | None:
    """A short limit of time that a call sets."""
    values = [_number(keyword.value) for keyword in call.keywords if keyword.arg == "timeout"]
    if name in {"asyncio.timeout", "pytest.mark.timeout"}:
        values += [_number(argument) for argument in call.args[:1]]
    elif name == "asyncio.wait_for":
        values += [_number(argument) for argument in call.args[1:2]]
    return next((value for value in values if value is not None and 0 < value < SHORTEST_S), None)


def _number(node: ast.expr) -> float | None:
    is_number = isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    return float(node.value) if is_number else None  # type: ignore[attr-defined]


def _files() -> Iterator[Path]:
    for path in sorted(TESTS.rglob("*.py")):
        if path.relative_to(TESTS).parts[0] != "faults":  # a program that puts load on a system
            yield path


def test_no_test_depends_on_the_machines_speed() -> None:
    by_file = {path.relative_to(TESTS).as_posix(): offences(path.read_text()) for path in _files()}
    assert [
        f"{name}:{line}" for name, lines in by_file.items() if name not in ALLOWED for line in lines
    ] == []
    assert {name for name in ALLOWED if not by_file[name]} == set(), "they need no exception"


@pytest.mark.parametrize(
    "source",
    [
        "assert time.monotonic() - began < 3",
        "await asyncio.sleep(0.5)",
        "time.sleep(pause_s)",
        "async with asyncio.timeout(10): pass",
        "await asyncio.wait_for(task, 3)",
        "process.communicate(timeout=10)",
    ],
)
def test_what_depends_on_speed_is_recognised(source: str) -> None:
    in_function = "async def test() -> None:\n    " + source
    assert len(offences(in_function)) == 1


def test_yielding_to_other_tasks_is_not_a_wait() -> None:
    assert (
        offences("async def test() -> None:\n    await asyncio.sleep(0)\n    process.communicate(timeout=60)")
        == []
    )

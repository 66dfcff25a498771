"""The process that tasks run in: kept while all goes well, replaced when not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cingulum.worker.task_host import ProcessEnded, TaskHost
from tests.support.trials import a_trials_table


@pytest.fixture
def host() -> Iterator[TaskHost]:
    host = TaskHost()
    yield host
    host.close()


def a_run(folder: Path, task: str = "trial_summary") -> Path:
    """A folder as the worker leaves it for the process."""
    folder.mkdir()
    (folder / "trials.table.pqt").write_bytes(a_trials_table())
    table = {"path": "alf/trials.table.pqt", "file": str(folder / "trials.table.pqt"), "sha256": "ab"}
    (folder / "run.json").write_text(
        json.dumps({"task": task, "scope": {}, "inputs": [table], "parameters": {}})
    )
    return folder


def processes() -> set[int]:
    return {
        child.pid
        for child in psutil.Process().children()
        if "cingulum.worker.task_process" in child.cmdline()
    }


def outcome(folder: Path) -> dict[str, object]:
    return dict(json.loads((folder / "outcome.json").read_bytes()))


def test_a_process_is_used_again_and_each_run_has_its_own_log(host: TaskHost, tmp_path: Path) -> None:
    logs: list[list[bytes]] = [[], []]
    host.run(a_run(tmp_path / "0"), logs[0].append, lambda: None)
    first = processes()
    host.run(a_run(tmp_path / "1"), logs[1].append, lambda: None)
    assert processes() == first
    assert [b"".join(log) for log in logs] == [b"20 trials, 20 rewarded\n"] * 2
    assert outcome(tmp_path / "1") == {"outputs": ["alf/_cingulum_behaviour.summary.json"]}


def test_a_process_that_dies_is_replaced(host: TaskHost, tmp_path: Path) -> None:
    def kill() -> None:
        for pid in processes():
            psutil.Process(pid).kill()

    with pytest.raises(ProcessEnded, match="exit code -9"):
        host.run(a_run(tmp_path / "0"), lambda _data: None, kill)
    host.run(a_run(tmp_path / "1"), lambda _data: None, lambda: None)
    assert "outputs" in outcome(tmp_path / "1")


def test_a_run_that_is_ended_leaves_no_process(host: TaskHost, tmp_path: Path) -> None:
    def enough() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        host.run(a_run(tmp_path / "0"), lambda _data: None, enough)
    assert processes() == set()


def test_the_process_continues_after_a_failure(host: TaskHost, tmp_path: Path) -> None:
    host.run(a_run(tmp_path / "0", "sort_spikes"), lambda _data: None, lambda: None)
    assert outcome(tmp_path / "0")["kind"] == "permanent"
    host.run(a_run(tmp_path / "1"), lambda _data: None, lambda: None)
    assert "outputs" in outcome(tmp_path / "1")

"""`cingulum worker run` as a process: asked to stop, killed, refused."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.fake_server import FakeServer, over_http
from tests.support.fake_transfer import problem
from tests.support.waiting import wait_until


@contextmanager
def a_worker(url: str, folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """The command, with its token and its work folder below `folder`."""
    token = folder / "token"
    token.write_text("a-token\n")
    command = [sys.executable, "-c", "from cingulum.cli import main; main()", "worker", "run"]
    options = ["--url", url, "--token-file", str(token), "--work", str(folder / "work"), "--name", "w1"]
    with subprocess.Popen([*command, *options, *more], stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def task_processes(worker: int) -> list[psutil.Process]:
    """The processes of tasks that a worker has started."""
    return [
        child
        for child in psutil.Process(worker).children()
        if "cingulum.worker.task_process" in child.cmdline()
    ]


def test_a_stopped_worker_releases_its_job_and_ends(tmp_path: Path) -> None:
    fake = FakeServer()
    job = fake.add_long()
    with over_http(fake) as url, a_worker(url, tmp_path, "--grace-s", "0.5") as worker:
        wait_until(lambda: task_processes(worker.pid))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(180) == 0
    assert fake.reports[job][1]["reason"] == "The worker was stopped."


def test_killed_it_takes_its_task_with_it_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    fake = FakeServer()
    fake.add_long()
    with over_http(fake) as url:
        with a_worker(url, tmp_path) as worker:
            wait_until(lambda: task_processes(worker.pid))
            tasks = task_processes(worker.pid)
            wait_until(lambda: list((tmp_path / "work").rglob("*.part*")) or fake.reports)
            worker.kill()
        _, alive = psutil.wait_procs(tasks, timeout=60)
        assert alive == []
        assert list((tmp_path / "work").iterdir())
        with a_worker(url, tmp_path, "--once") as again:
            assert again.wait(180) == 0
    assert list((tmp_path / "work").iterdir()) == []
    assert fake.reports == {}


def test_site_without_its_files_is_refused(tmp_path: Path) -> None:
    with a_worker("http://127.0.0.1:9", tmp_path, "--site", "lab_server") as worker:
        _, output = worker.communicate(timeout=60)
    assert worker.returncode == 2
    assert "needs --tree" in output


@pytest.mark.parametrize("kind", ["invalid-token", "forbidden"])
def test_a_refused_worker_ends_and_reports_the_reason(tmp_path: Path, kind: str) -> None:
    fake = FakeServer(before=lambda _request: problem(403, kind))
    with over_http(fake) as url, a_worker(url, tmp_path) as worker:
        _, output = worker.communicate(timeout=180)
    assert worker.returncode == 1
    assert "refuses this worker" in output
    assert kind in output

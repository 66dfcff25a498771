"""The demo with each service as a process; `test_readme.py` runs it with all services in one, until Ctrl-C."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples.demo.__main__ import STEPS
from tests.deploy.conftest import Local

pytestmark = [pytest.mark.deep, pytest.mark.timeout(1200)]


@contextmanager
def demo(local: Local, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The demo with a short recording; it is ended with the block."""
    # As in a terminal: what a shell runs in the background ignores Ctrl-C, and so would all that it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = subprocess.Popen(
        [sys.executable, "-m", "examples.demo", "--seconds", "2", *words],
        env=local.environment() | {"PYTHONUNBUFFERED": "1", "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
        running.communicate(timeout=180)
        local.run("down")


def test_each_step_holds_when_every_service_is_a_process_and_once_stops_by_itself(tmp_path: Path) -> None:
    local = Local(tmp_path / "var")
    with demo(local, "--once", "--split") as running:
        output, _ = running.communicate()
    assert running.returncode == 0, output
    for n in range(1, len(STEPS) + 1):
        assert f"{n}/{len(STEPS)}  " in output
    assert local.run("status")[0] == 3  # nothing runs


def test_a_failed_step_reports_the_reason_and_the_exit_code_is_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        local = Local(tmp_path / "var", port=taken.getsockname()[1])
        with demo(local, "--once") as running:
            output, _ = running.communicate()
    assert running.returncode == 1
    assert f"Port {local.port} is in use" in output

"""A local system of one's own for each test that starts one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local.places import free_port
from tests.support.waiting import blocking_attempts


@dataclass
class Local:
    """The commands of `deploy.local` as a person runs them, in a state folder of their own."""

    home: Path
    port: int = field(default_factory=free_port)

    def environment(self) -> dict[str, str]:
        """As a shell would give it."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("CINGULUM_")}
        return clean | {"CINGULUM_HOME": str(self.home), "CINGULUM_PORT": str(self.port)}

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """Begin a command; its output can be read."""
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.local", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment() | more,
        )

    def run(self, *words: str, **more: str) -> tuple[int, str]:
        """Run a command; its exit code and output."""
        with self.start(*words, **more) as command:
            output, _ = command.communicate(timeout=180)
        return command.returncode, output

    def ask(self, question: str) -> object:
        """One value from its database, as the superuser."""
        password = (self.home / "postgres" / "password").read_text().strip()
        port = (self.home / "postgres" / "port").read_text().strip()
        return fetch(f"postgresql://postgres:{password}@127.0.0.1:{port}/cingulum", question)

    def pids(self) -> dict[str, int]:
        """Process ids by name, the supervisor's too."""
        state = json.loads((self.home / "state.json").read_text())
        running = {name: child["pid"] for name, child in state["children"].items() if child["pid"]}
        return running | {"supervisor": state["pid"]}


def fetch(url: str, question: str) -> object:
    """One value from a database."""

    async def go() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    return asyncio.run(go())


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """Nothing runs yet; whatever the test starts is ended."""
    system = Local(tmp_path / "var")
    yield system
    if system.home.is_dir():
        system.run("down")


def read_until(command: subprocess.Popen[str], text: str) -> str:
    """Read a command's output up to the line that has `text`; fails when it ends before."""
    assert command.stdout is not None
    output = ""
    for line in command.stdout:
        output += line
        if text in line:
            return output
    raise AssertionError(f"{text!r} was never printed:\n{output}")


def until_all_end(processes: Iterable[psutil.Process]) -> None:
    """Wait until all have ended."""
    for _ in blocking_attempts():
        if not any(map(lives, processes)):
            return
    raise AssertionError([process for process in processes if lives(process)])


def lives(process: psutil.Process) -> bool:
    """Whether it has not ended. One that is not reaped yet has ended."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def interrupt(command: subprocess.Popen[str]) -> str:
    """Ctrl-C; the rest of its output."""
    command.send_signal(signal.SIGINT)
    output, _ = command.communicate(timeout=180)
    return output

"""README as a newcomer follows it: every code block runs, in order, in an empty home."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deploy.conftest import Local
from tests.support.readme import code_blocks, commands

pytestmark = [pytest.mark.deep, pytest.mark.timeout(1200)]
ROOT = Path(__file__).parents[2]
RUNNING = {"make demo": "Ctrl-C ends it.", "make up": "ready in "}  # what each says once it runs until Ctrl-C


@contextmanager
def runs_until_interrupted(command: str, environment: dict[str, str]) -> Iterator[None]:
    """A command of README that goes on until Ctrl-C; the block begins once it says that it runs."""
    # As in a terminal: what a shell runs in the background ignores Ctrl-C, and so would all that it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = subprocess.Popen(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    signal.signal(signal.SIGINT, before)
    lines: list[str] = []
    try:
        for line in running.stdout or ():
            lines.append(line)
            if RUNNING[command] in line:
                break
        assert lines, f"{command} printed nothing"
        assert RUNNING[command] in lines[-1], "".join(lines)
        yield
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGINT)
        running.communicate(timeout=120)


def test_every_block_runs_in_an_empty_home(tmp_path: Path) -> None:
    local = Local(tmp_path / "var")
    (home := tmp_path / "home").mkdir()
    environment = local.environment() | {
        "HOME": str(home),
        "VENV": sys.prefix,  # the environment of these tests, wherever it is
        "DEMO_SECONDS": "2",
        "COLUMNS": "160",
    }
    (language, first), *others = code_blocks(ROOT / "README.md")
    assert language == "sh"
    demo, up = commands(first)
    try:
        with runs_until_interrupted(demo, environment):
            ran = [_run(language, text, environment) for language, text in others]
        with runs_until_interrupted(up, environment):
            pass
    finally:
        local.run("down")
    assert ran == [language for language, _ in others]


def _run(language: str, text: str, environment: dict[str, str]) -> str:
    """Run a block to its end; its language."""
    asked = {
        "python": [sys.executable, "-c", text + "\nassert len(trials['choice']) > 100\n"],
        "sh": ["bash", "-ec", "\n".join(commands(text)).replace(".venv/", f"{sys.prefix}/")],
    }
    done = subprocess.run(
        asked[language],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return language

"""README, the tutorial and three how-tos as a newcomer follows them: every block runs, in order, in an empty home."""

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
TUTORIAL = ROOT / "docs" / "tutorials" / "first-session.md"
RIG = ROOT / "docs" / "how-to" / "register-from-a-rig.md"  # continues the tutorial
EXISTING = ROOT / "docs" / "how-to" / "import-existing-data.md"  # continues the tutorial, too
ANALYST = ROOT / "docs" / "how-to" / "analyse-with-one.md"  # while the demo runs
RUNNING = {
    "make demo": "Ctrl-C ends it.",
    "make up": "ready in ",
}  # what each prints once it runs until Ctrl-C


@contextmanager
def runs_until_interrupted(command: str, environment: dict[str, str]) -> Iterator[str]:
    """A command of README that runs until Ctrl-C; the block gets what it printed until it was ready."""
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
        yield "".join(lines)
        assert running.poll() is None, "it ended by itself"
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGINT)
        running.communicate(timeout=180)


def test_every_block_runs_in_an_empty_home(tmp_path: Path) -> None:
    local = Local(tmp_path / "var")
    (home := tmp_path / "home").mkdir()
    environment = local.environment() | {
        "HOME": str(home),
        "VENV": sys.prefix,  # the environment of these tests, wherever it is
        "DEMO_SECONDS": "2",
        "COLUMNS": "160",
    }
    (_, first), (_, second), *others = code_blocks(ROOT / "README.md")
    demo, test = commands(first)
    assert (demo, test, commands(second)) == ("make demo", "make test", ["make up"])
    try:
        with runs_until_interrupted(demo, environment) as summary:
            for text in ("What exists now", f"http://127.0.0.1:{local.port}/app/", "demo_experimenter"):
                assert text in summary
            assert summary.count(".venv/bin/cingulum ") == 3
            assert local.run("status")[0] == 0
            for language, text in others:
                _run(language, text, environment, ROOT)
            _run_blocks(ANALYST, environment, home)
            stranger = f"-m tests.acceptance.stranger {local.home} {local.port} {tmp_path / 'stranger'}"
            _run("sh", f".venv/bin/python {stranger}\n", environment, ROOT)
        assert local.run("status")[0] == 3  # nothing runs
        with runs_until_interrupted("make up", environment):
            _follow_the_tutorial(tmp_path / "clone", environment)
            _run_blocks(RIG, environment, tmp_path / "clone")
            _run_blocks(EXISTING, environment, tmp_path / "clone")
    finally:
        local.run("down")


def _follow_the_tutorial(clone: Path, environment: dict[str, str]) -> None:
    """Run its blocks in a folder that looks like a clone, between its own `make up` and `make down`."""
    clone.mkdir()
    for name in ("examples", "docs"):
        (clone / name).symlink_to(ROOT / name)
    (language, first), *others = code_blocks(TUTORIAL)
    up, setup = commands(first)
    assert (language, up, setup) == ("sh", "make up DETACH=1", ".venv/bin/cingulum setup-one")
    _run("sh", setup, environment, clone)
    for language, text in others:
        if text.startswith("from datetime"):  # the script that the reader saves
            (clone / "first_session.py").write_text(text)
        elif text != "make down\n":
            printed = _run(language, text, environment, clone)
    assert printed.splitlines()[-1] == "400 trials"


def _run_blocks(page: Path, environment: dict[str, str], folder: Path) -> None:
    for language, text in code_blocks(page):
        _run(language, text, environment, folder)


def _run(language: str, text: str, environment: dict[str, str], folder: Path) -> str:
    """Run a block to its end; what it prints."""
    command = {
        "python": [sys.executable, "-c", text],
        "sh": ["bash", "-ec", "\n".join(commands(text)).replace(".venv/", f"{sys.prefix}/")],
    }
    done = subprocess.run(
        command[language],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout

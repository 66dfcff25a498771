"""Run the demo: `python -m examples.demo [--once] [--split] [--seconds 10]`; `make demo` does it."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cingulum.client import NoLogin, ServerProblem, find_login
from deploy.local.home import Home
from examples.demo import closing
from examples.demo.screen import Screen, StepFailed
from examples.demo.steps import analyse, browse, compute, declare, register, release, upload
from examples.demo.world import PROJECT, World

STEPS: tuple[tuple[str, Callable[[World], None]], ...] = (
    ("Two labs, their people, a mouse, its weights and water", declare.run),
    ("Rigs register real sessions with the unmodified ONE client", register.run),
    ("Each lab's agent uploads the files to the central store and verifies them", upload.run),
    ("The worker runs the jobs that the graph derives: compression, summaries, fits", compute.run),
    ("An analyst searches and loads with ONE, and reads raw voltage", analyse.run),
    ("The portal shows the mouse, its sessions and one of them", browse.run),
    ("A session is released: anyone downloads, checks and opens it", release.run),
)
NOT_RUNNING = 3  # exit code of `python -m deploy.local status` if no system runs


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; returns 0, or 1 after the message of the step that failed."""
    parser = argparse.ArgumentParser(
        prog="make demo", description="Real sessions from registration to figures."
    )
    parser.add_argument("--once", action="store_true", help="stop when all steps are done")
    parser.add_argument("--split", action="store_true", help="one process per service")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the synthetic recording")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    screen = Screen()
    try:
        with system(screen, split=options.split) as home:
            world = World(find_login(), home, screen, options.seconds)
            live(world)
            closing.show(world)
            if not options.once:
                _stay(screen, Home(home))
    except (StepFailed, ServerProblem, NoLogin) as error:
        screen.console.print(f"[bold red]Failed:[/] {error}", highlight=False)
        return 1
    except KeyboardInterrupt:
        screen.console.print("Stopped.")
        return 0 if not options.once else 1
    return 0


def live(world: World) -> None:
    """Run all steps in order. Raises StepFailed with the name of the step."""
    for n, (title, step) in enumerate(STEPS, start=1):
        try:
            with world.screen.step(f"{n}/{len(STEPS)}  {title}"):
                step(world)
        except (StepFailed, ServerProblem) as error:
            raise StepFailed(f"step {n} ({title}): {error}") from error


@contextmanager
def system(screen: Screen, *, split: bool) -> Iterator[Path]:
    """The folder of the running system of this machine; if none runs, one is started and stopped at the end."""
    home = Path(os.environ.get("CINGULUM_HOME") or "var").expanduser().absolute()
    ours = _local("status").returncode == NOT_RUNNING
    if ours:
        with screen.step("Starting PostgreSQL, NATS and all services on loopback"):
            started = _local("up", "--detach", *(["--split"] if split else []))
            if started.returncode:
                raise StepFailed(started.stdout + started.stderr)
    else:
        screen.console.print("Using the system that is already running.")
    try:
        yield home
    finally:
        if ours:
            _local("down")


def _local(*verb: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.local", *verb]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def _stay(screen: Screen, home: Home) -> None:
    screen.console.print("The system keeps running. Ctrl-C ends it.")
    while home.holder() is not None:
        time.sleep(1)
    screen.console.print("The system was stopped by another process.")


if __name__ == "__main__":
    sys.exit(main())

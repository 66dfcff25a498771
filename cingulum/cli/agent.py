"""`cingulum agent run`: bring a lab's files to the central store."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from cingulum.worker.http import Refused, Server, Unreachable
from cingulum.worker.lab import Journal, LabAgent, Round
from cingulum.worker.lab.sending import Pace

_EVERY_S: Final = 5.0
_STATE: Final = Path("~/.local/state/cingulum")


class _WrongToken(Exception):
    """The token proves nothing in this repository, so that nothing here can become verified."""


def register(app: typer.Typer) -> None:
    """Add the verb `agent run`."""
    verbs = typer.Typer(help="Bring a lab's files to the central store.", no_args_is_help=True)
    verbs.callback()(_agent)
    verbs.command("run")(run)
    app.add_typer(verbs, name="agent")


def _agent() -> None:
    """Bring a lab's files to the central store, and prove that they are what was registered."""


def run(
    url: Annotated[str, typer.Option(help="address of the server, as https://cingulum.example.org")],
    token_file: Annotated[
        Path, typer.Option(help="file with the token of this repository's agent; nobody else may read it")
    ],
    repository: Annotated[str, typer.Option(help="name of this lab's repository, as in `cingulum load`")],
    root: Annotated[Path, typer.Option(help="folder that holds <lab>/Subjects/<subject>/<date>/<number>/…")],
    journal: Annotated[
        Path | None,
        typer.Option(help="where to remember what is under way", show_default="~/.local/state/cingulum"),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="stop when nothing is left to do")] = False,
    every_s: Annotated[float, typer.Option(help="pause between two looks, seconds")] = _EVERY_S,
    settle_s: Annotated[float, typer.Option(help="leave files alone that were written to this lately")] = 2.0,
    limit_mbit: Annotated[
        float | None, typer.Option(help="send at most so many megabits a second", show_default="no limit")
    ] = None,
) -> None:
    """Bring this lab's files to the central store, where they lie now and as new ones are registered.

    Run it on the lab's server, as a user that can read the files. It dials out by HTTPS and opens no port, changes
    nothing below ROOT, reads every byte once, sends small files first and raw data last, goes on where it stopped after
    a restart of either side, and tells the server what each file hashes to. Nothing is deleted. Symbolic links below
    ROOT are not followed, also not to files below it, and only regular files are read: what is passed over is named.

    An administrator makes its token once:  curl -u ADMIN -H 'Content-Type: application/json' URL/tokens
    -d '{"name": "agent hilllab", "kind": "worker",
    "scopes": ["lab:hilllab:read", "lab:hilllab:transfer", "repository:REPOSITORY:prove"]}'

    Exit code 0: all done (with --once) or stopped; 1: some files could not be sent, the server stayed away, or
    the token is not that of this repository's agent.
    """
    if not root.is_dir():
        _refuse(f"{root} is no folder: --root names the folder that holds <lab>/Subjects/…")
    try:
        token = token_file.read_text(encoding="utf-8").strip()
    except OSError as reason:
        _refuse(f"{token_file} cannot be read: {reason.strerror}")
    server = Server(url, token)
    kept = Journal((journal or _STATE / f"agent-{repository}.sqlite").expanduser())
    shown = _Shown()
    agent = LabAgent(
        server,
        kept,
        root,
        repository,
        settle_s=settle_s,
        pace=Pace(limit_mbit * 1e6 / 8 if limit_mbit else None),
        tell=shown.say,
        on_sent=shown.sent,
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        with shown:
            code = _go(agent, shown, once=once, every_s=every_s)
    finally:
        kept.close()
        server.close()
    raise typer.Exit(code)


def _go(agent: LabAgent, shown: _Shown, *, once: bool, every_s: float) -> int:
    """Look at the orders until told to stop, or (once) until nothing is left; the exit code."""
    shown.say(f"serving {agent.repository} below {agent.root}")
    is_token_checked = False
    before: Round | None = None
    failed: set[str] = set()
    while not agent.server.stop.is_set():
        try:
            if not is_token_checked:
                _check_token(agent)
                is_token_checked = True
            result = agent.run_once()
        except Unreachable as away:
            if agent.server.stop.is_set():
                break
            shown.say(str(away))
            if once:
                return 1
            continue
        except _WrongToken as reason:
            shown.say(str(reason))
            return 1
        except Refused as refusal:
            shown.say(f"the server refuses this token or repository: {refusal}")
            return 1
        failed |= {*result.failed, *result.passed_over}
        if result.sent or result.proved or (before is None and (result.absent or result.passed_over)):
            shown.say(_line(result))
        before = result
        if once and (result.is_quiet or result.failed):
            shown.say("nothing is left to do" if not failed else f"{len(failed)} files could not be brought")
            return 1 if failed else 0
        agent.server.stop.wait(1.0 if result.resting else 0.0 if once else every_s)
    return 0


def _check_token(agent: LabAgent) -> None:
    """Raises _WrongToken, Refused where the server does not know it, or Unreachable where nobody can tell yet."""
    needed = f"repository:{agent.repository}:prove"
    if needed not in (agent.server.get("/me")["scopes"] or ()):
        raise _WrongToken(
            f"this is not the token of {agent.repository}'s agent: an administrator makes one with {needed}, see --help"
        )


def _line(result: Round) -> str:
    parts = [f"{result.sent} sent", f"{result.proved} proved"]
    parts += [
        f"{n} {what}"
        for n, what in (
            (result.absent, "not here"),
            (result.resting, "still written to"),
            (len(result.passed_over), "passed over"),
        )
        if n
    ]
    return ", ".join(parts)


def _refuse(why: str) -> None:
    typer.echo(why, err=True)
    raise typer.Exit(2)


class _Shown:
    """Lines for people; on a terminal, a bar for each large file as well."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Shown:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        """A line above the bars."""
        self._console.print(line, markup=False)

    def sent(self, path: str, done_bytes: int, of_bytes: int) -> None:
        """So much of a large file is done."""
        if path not in self._tasks:
            self._tasks[path] = self._bars.add_task(path.rpartition("/")[2], total=of_bytes)
        self._bars.update(self._tasks[path], completed=done_bytes)
        if done_bytes == of_bytes:
            self._bars.remove_task(self._tasks.pop(path))

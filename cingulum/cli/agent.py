"""`cingulum agent run`: send a lab's files to the central store."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from cingulum.cli._errors import refuse
from cingulum.http import Connection, Refused, Unreachable
from cingulum.worker.lab import Journal, LabAgent, Round
from cingulum.worker.sending import Pace

_EVERY_S: Final = 5.0
_STATE: Final = Path("~/.local/state/cingulum")
Url = Annotated[str, typer.Option(help="address of the server, such as https://cingulum.example.org")]
TokenFile = Annotated[
    Path, typer.Option(help="file with the token of this repository's agent, private to this account")
]
Repository = Annotated[str, typer.Option(help="name of this lab's repository, as in `cingulum load`")]
Root = Annotated[Path, typer.Option(help="folder that contains <lab>/Subjects/<subject>/<date>/<number>/…")]
JournalPath = Annotated[
    Path | None,
    typer.Option(help="file or path for the agent's state", show_default="~/.local/state/cingulum"),
]
Once = Annotated[bool, typer.Option("--once", help="exit when all files are sent")]
EverySeconds = Annotated[float, typer.Option(help="seconds between checks for new files")]
SettleSeconds = Annotated[float, typer.Option(help="wait until a file has not changed for this many seconds")]
LimitMbit = Annotated[
    float | None,
    typer.Option(help="limit of the upload rate, in megabits per second", show_default="no limit"),
]
_EXAMPLE: Final = """
Example, on the lab's file server:

\b
cingulum agent run --url https://cingulum.example.org --token-file agent.token \\
    --repository hilllab_server --root /data

An administrator creates the token once:

\b
curl -u ADMIN -H 'Content-Type: application/json' URL/tokens -d '{"name": "agent hilllab",
    "kind": "worker", "scopes": ["lab:hilllab:read", "lab:hilllab:transfer",
    "repository:REPOSITORY:prove"]}'
"""


class _WrongToken(Exception):
    """The token may not verify files of this repository."""


def register(app: typer.Typer) -> None:
    """Add the command `agent run`."""
    group = typer.Typer(
        help="Send a lab's files to the central store.",
        epilog="Example: `cingulum agent run --help` shows how to start one.",
        no_args_is_help=True,
    )
    group.callback()(_agent)
    group.command("run", epilog=_EXAMPLE)(run)
    app.add_typer(group, name="agent")


def _agent() -> None:
    """Send a lab's files to the central store, and verify that they are what was registered."""


def run(
    url: Url,
    token_file: TokenFile,
    repository: Repository,
    root: Root,
    journal: JournalPath = None,
    once: Once = False,
    every_s: EverySeconds = _EVERY_S,
    settle_s: SettleSeconds = 2.0,
    limit_mbit: LimitMbit = None,
) -> None:
    """Send this lab's registered files to the central store, now and as new ones are registered.

    Run it on the lab's server, as a user that can read the files. It connects out over HTTPS and opens no port, changes
    nothing below ROOT, reads every byte once, sends small files first and raw data last, resumes after a restart of
    either side, and reports the hashes of each file, which the server compares. Nothing is deleted. Symbolic links
    below ROOT are not followed, not even to files below it, and only regular files are read; skipped files are listed.

    Exit code 0: all done (with --once) or stopped; 1: some files could not be sent, the server could not be reached,
    or the token is not that of this repository's agent.
    """
    if not root.is_dir():
        refuse(f"{root} is not a folder: --root names the folder that contains <lab>/Subjects/…")
    connection = Connection.unattended(url, _read_token(token_file))
    state = Journal((journal or _STATE / f"agent-{repository}.sqlite").expanduser())
    display = _Display()
    agent = LabAgent(
        connection,
        state,
        root,
        repository,
        settle_s=settle_s,
        pace=Pace(limit_mbit * 1e6 / 8 if limit_mbit else None),
        report=display.line,
        on_sent=display.progress,
    )
    _stop_on_signals(connection)
    try:
        with display:
            code = _serve(agent, display, once=once, every_s=every_s)
    finally:
        state.close()
        connection.close()
    raise typer.Exit(code)


def _read_token(token_file: Path) -> str:
    try:
        return token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        refuse(
            f"{token_file} cannot be read ({error.strerror}): --token-file names a file with the agent's token"
        )


def _stop_on_signals(connection: Connection) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        connection.stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _serve(agent: LabAgent, display: _Display, *, once: bool, every_s: float) -> int:
    """Run rounds until stopped, or (once) until all files are sent; the exit code."""
    display.line(f"serving {agent.repository} below {agent.root}")
    stop = agent.connection.stop
    is_token_checked = False
    is_first = True
    failed: set[str] = set()
    while not stop.is_set():
        try:
            if not is_token_checked:
                _check_token(agent)
                is_token_checked = True
            result = agent.run_once()
        except Unreachable as error:
            if stop.is_set():
                break
            display.line(str(error))
            if once:
                return 1
            continue
        except _WrongToken as error:
            display.line(str(error))
            return 1
        except Refused as refusal:
            display.line(f"the server refuses this token or repository: {refusal.in_full}")
            return 1
        failed |= {*result.failed, *result.skipped}
        if result.sent or result.proved or (is_first and (result.absent or result.skipped)):
            display.line(_summary(result))
        is_first = False
        if once and (result.is_quiet or result.failed):
            display.line("all files are sent" if not failed else f"{len(failed)} files could not be sent")
            return 1 if failed else 0
        stop.wait(1.0 if result.unsettled else 0.0 if once else every_s)
    return 0


def _check_token(agent: LabAgent) -> None:
    """Raises _WrongToken, Refused where the server does not know it, or Unreachable."""
    needed = f"repository:{agent.repository}:prove"
    if needed not in (agent.connection.get("/me")["scopes"] or ()):
        raise _WrongToken(
            f"this is not the token of {agent.repository}'s agent: an administrator creates one with"
            f" {needed}, see `cingulum agent run --help`"
        )


def _summary(result: Round) -> str:
    parts = [f"{result.sent} sent", f"{result.proved} proved"]
    parts += [
        f"{n} {what}"
        for n, what in (
            (result.absent, "not on this disk"),
            (result.unsettled, "still being written"),
            (len(result.skipped), "skipped"),
        )
        if n
    ]
    return ", ".join(parts)


class _Display:
    """Lines for people; on a terminal, also a bar for each large file."""

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

    def __enter__(self) -> _Display:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def line(self, line: str) -> None:
        """Print a line above the bars."""
        self._console.print(line, markup=False)

    def progress(self, path: str, done_bytes: int, of_bytes: int) -> None:
        """Move the bar of a large file."""
        if path not in self._tasks:
            self._tasks[path] = self._bars.add_task(path.rpartition("/")[2], total=of_bytes)
        self._bars.update(self._tasks[path], completed=done_bytes)
        if done_bytes == of_bytes:
            self._bars.remove_task(self._tasks.pop(path))

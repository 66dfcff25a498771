"""`cingulum scan`: register an existing ONE tree where it lies."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from cingulum.cli._errors import fail, refuse
from cingulum.cli._server import Password, Url, User, server_errors
from cingulum.client import find_login
from cingulum.client.login import Login, login_by_token
from cingulum.http import Connection
from cingulum.scan import FileAction, FileProblem, Plan, Result, Scanner, ScanRefused, Server, read_tree
from cingulum.sizes import format_size
from cingulum.worker.lab.journal import Journal

_STATE: Final = Path("~/.local/state/cingulum")
_SHOWN: Final = 20
_EXAMPLE: Final = """
Example, on the computer that has the files:

\b
cingulum scan /data --repository hilllab_nas --dry-run   # what would be registered, and what is wrong
cingulum scan /data --repository hilllab_nas             # the data can be searched, then hashes are added
cingulum scan /data --repository hilllab_nas             # again: only what is new

The token needs what a rig's has: the scopes lab:LAB:read, lab:LAB:write and lab:LAB:register.
"""


class HashMode(StrEnum):
    """When the hashes of the files are computed."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EXAMPLE)(scan)


def scan(
    folder: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, help="contains <lab>/Subjects/<subject>/<date>/<number>/…"
        ),
    ],
    repository: Annotated[str, typer.Option(help="name of the repository that these files are in")],
    lab: Annotated[str, typer.Option(help="lab of the sessions, where the paths name none")] = "",
    create_subjects: Annotated[
        bool, typer.Option("--create-subjects", help="create the subjects that do not exist")
    ] = False,
    hash_mode: Annotated[
        HashMode, typer.Option("--hash", help="when to read the files: before or after they can be searched")
    ] = HashMode.LATER,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show what would be registered")] = False,
    problems: Annotated[
        Path | None, typer.Option(dir_okay=False, help="write all problems to this CSV file")
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(help="file with the hashes that were computed", show_default=str(_STATE)),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="file with a token, instead of a password"),
    ] = None,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Register the sessions and datasets below FOLDER where they are: nothing is moved, copied or changed.

    Sessions that do not exist are created. Files are registered with their sizes first, so that they can be searched
    at once; then they are read and their hashes added (--hash later). In the repository of an agent the agent reads
    them. An interrupted scan continues when it is started again, and a repeated one changes nothing. A dataset that
    exists is never replaced. Symbolic links are not followed.

    Exit code 0: everything is registered; 1: some files are not, each listed with what to do.
    """
    with server_errors(), connected_unattended(url, user, password, token_file) as connection:
        server = Server(connection)
        try:
            place = server.find_repository(repository)
        except ScanRefused as error:
            refuse(str(error))
        state = Journal((journal or _STATE / f"scan-{place.name}.sqlite").expanduser())
        try:
            scanner = Scanner(server, read_tree(folder, lab), place, state, create_subjects)
            _scan(scanner, hash_mode, dry_run=dry_run, problems_file=problems)
        finally:
            state.close()


@contextmanager
def connected_unattended(
    url: str | None, user: str | None, password: str | None, token_file: Path | None
) -> Iterator[Connection]:
    """A connection that retries while the server is busy or restarts."""
    login: Login
    if token_file is not None:
        login = login_by_token(url, token_file.read_text(encoding="utf-8").strip())
    else:
        login = find_login(url, user, password)
    with login.connect() as signed_in:
        token = signed_in.token
    if not token:
        fail("the server gave no token")
    with Connection.unattended(login.base_url, token) as connection:
        yield connection


def _scan(scanner: Scanner, hash_mode: HashMode, *, dry_run: bool, problems_file: Path | None) -> None:
    """Plan, carry out, add hashes, and report; ends with the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    tree = scanner.tree
    console.print(
        f"{tree.n_files:,} files in {len(tree.sessions):,} sessions; {len(tree.ignored):,} files are no data"
    )
    with progress(console) as bars:
        task = bars.add_task("comparing", total=tree.n_files)
        plan = scanner.plan(lambda n: bars.advance(task, n))
    console.print(_summary(plan))
    all_problems = [*plan.problems]
    if not dry_run:
        all_problems += _carry_out(scanner, plan, hash_mode, console)
    report(console, all_problems, problems_file)
    raise typer.Exit(1 if all_problems else 0)


def _carry_out(scanner: Scanner, plan: Plan, hash_mode: HashMode, console: Console) -> list[FileProblem]:
    """Register the files and add their hashes; the problems of both."""
    by_agent = scanner.repository.read_by_agent
    is_first = hash_mode is HashMode.NOW and not by_agent
    with progress(console) as bars:
        task = bars.add_task("registering", total=plan.count(FileAction.REGISTER))
        result = scanner.carry_out(plan, hash_first=is_first, on_done=lambda n: bars.advance(task, n))
    console.print(_done(result))
    if hash_mode is HashMode.NEVER:
        return result.problems
    actions = [FileAction.COMPARE]
    actions += [] if by_agent else [FileAction.HASH]
    actions += [FileAction.REGISTER] if not (by_agent or is_first) else []
    size_bytes = sum(file.size_bytes for planned in plan.sessions for file in planned.of(*actions))
    with progress(console, is_bytes=True) as bars:
        task = bars.add_task("hashing", total=size_bytes)
        hashed = scanner.add_hashes(plan, actions, lambda n: bars.advance(task, n))
    if size_bytes:
        console.print(f"{hashed.n_hashed:,} hashes added, of {format_size(size_bytes)}")
    if by_agent and result.n_files:
        console.print(f"the agent of {scanner.repository.name} reads the files and reports their hashes")
    return [*result.problems, *hashed.problems]


def _summary(plan: Plan) -> str:
    """What a scan would change."""
    counts = [
        (len(plan.new_subjects), "subjects to create"),
        (plan.n_new_sessions, "sessions to create"),
        (plan.count(FileAction.REGISTER), "files to register"),
        (plan.count(FileAction.HASH), "files without a hash"),
        (plan.count(FileAction.COMPARE), "files to compare with copies elsewhere"),
        (plan.count(FileAction.SAME), "files registered already"),
        (sum(problem.n_files for problem in plan.problems), "files with problems"),
    ]
    return ", ".join(f"{n:,} {what}" for n, what in counts if n) or "nothing to register"


def _done(result: Result) -> str:
    if not (result.n_subjects or result.n_sessions or result.n_files):
        return "nothing new was registered"
    return (
        f"{result.n_files:,} files registered; created: {result.n_subjects:,} subjects, "
        f"{result.n_sessions:,} sessions"
    )


def report(console: Console, problems: Sequence[FileProblem], file: Path | None) -> None:
    """Print the first problems, and write all of them to a file."""
    ordered = sorted(problems)
    for problem in ordered[:_SHOWN]:
        n_files = f" ({problem.n_files:,} files)" if problem.n_files > 1 else ""
        console.print(f"{problem.path}{n_files}\n    {problem.advice}", markup=False)
    if len(ordered) > _SHOWN and file is None:
        console.print(f"and {len(ordered) - _SHOWN:,} more problems: --problems FILE writes them all")
    if file is not None:
        with file.open("w", newline="", encoding="utf-8") as opened:
            table = csv.writer(opened)
            table.writerow(("path", "files", "problem"))
            table.writerows((problem.path, problem.n_files, problem.advice) for problem in ordered)


def progress(console: Console, *, is_bytes: bool = False) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn() if is_bytes else MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)

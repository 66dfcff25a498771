"""`cingulum worker run`: run jobs of a server on this machine."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

_EXAMPLE = """
Example:

\b
cingulum worker run --url https://lab.example.org --token-file worker.token --slots 2

An administrator creates the token once: `docs/how-to/run-a-worker.md`.
"""


def register(app: typer.Typer) -> None:
    """Add the command `worker run`."""
    worker = typer.Typer(
        help="Run a server's jobs on this machine.",
        epilog="Example: `cingulum worker run --help` shows how to start one.",
        no_args_is_help=True,
    )
    worker.callback()(_worker)
    worker.command(epilog=_EXAMPLE)(run)
    app.add_typer(worker, name="worker")


def _worker() -> None:
    """Run a server's jobs on this machine."""


def _work_folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "cingulum" / "work"


def _read_token(token_file: Path) -> str:
    token = token_file.read_text().strip()
    if not token:
        typer.echo(f"{token_file} is empty: put the worker's token into it.", err=True)
        raise typer.Exit(1)
    return token


def run(
    url: Annotated[str, typer.Option(help="address of the server", envvar="CINGULUM_BASE_URL")],
    token_file: Annotated[
        Path, typer.Option(help="file with the worker's token", exists=True, dir_okay=False)
    ],
    site: Annotated[
        str,
        typer.Option(
            help="agent repository, host or lab whose files are in --tree: also run jobs on files not uploaded yet"
        ),
    ] = "",
    name: Annotated[str, typer.Option(help="name of the worker; default: host and process")] = "",
    work: Annotated[Path | None, typer.Option(help="folder for files of running jobs")] = None,
    tree: Annotated[
        list[Path] | None,
        typer.Option(help="folder that contains `lab/Subjects/…`: inputs found there are read in place"),
    ] = None,
    slots: Annotated[int, typer.Option(help="number of concurrent jobs", min=1)] = 1,
    grace_s: Annotated[
        float, typer.Option(help="seconds that running jobs have to finish after Ctrl-C", min=0)
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="exit when there are no more jobs")] = False,
) -> None:
    """Claim jobs and run them until Ctrl-C. Only outbound connections to URL are made.

    Exit code 0 after Ctrl-C, or with --once when there are no more jobs; 1 if the server refuses this worker.
    """
    from cingulum.http import Connection
    from cingulum.worker.runner import Options, Worker, default_name

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if site and not tree:
        raise typer.BadParameter("needs --tree: the folder with this site's files", param_hint="--site")
    token = _read_token(token_file)
    options = Options(
        name=name or default_name(),
        work=work or _work_folder(),
        site=site,
        trees=tuple(tree or ()),
        slots=slots,
        grace_s=grace_s,
        once=once,
    )
    worker = Worker(Connection.unattended(url, token), options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    raise typer.Exit(worker.run())

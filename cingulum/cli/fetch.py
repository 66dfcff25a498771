"""`cingulum fetch`: bring the exact files of a lock, or check that they are there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cingulum.cli._errors import fail, refuse
from cingulum.cli._server import server_errors

EXAMPLE = """
Example: after `cg.lock("paper.lock")` in Python

\b
cingulum fetch paper.lock --to paper       # download the exact files
cingulum fetch --check paper.lock --to paper   # offline
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(fetch)


def fetch(
    lock: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="written by `cg.lock`")],
    to: Annotated[
        Path | None, typer.Option(help="folder; default: the ONE client's folder of the lock's server")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="only compare, offline")] = False,
    token: Annotated[str | None, typer.Option(help="default: CINGULUM_TOKEN, or of setup-one")] = None,
) -> None:
    """Download the files of LOCK with exactly its bytes. Exit code 1 if one is missing or has others.

    The server sends the newest version of a file: one that changed since the lock is listed, and not downloaded.
    """
    # Imported here because they need numpy, which few commands do.
    from cingulum.client.credentials import cache_folder, connect_as
    from cingulum.client.locks import fetch_lock, parse_lock
    from cingulum.client.problems import ClientError
    from cingulum.manifests import FileState, verify_folder

    try:
        parsed = parse_lock(lock.read_bytes())
    except ClientError as problem:
        refuse(f"{lock}: {problem}")
    if to is None and parsed.server is None:
        refuse(f"{lock} is of a folder, not of a server: pass --to FOLDER")
    folder = to or cache_folder(parsed.server or "")
    if check:
        states = {
            file.path: str(file.state)
            for file in verify_folder(parsed.manifest, folder).files
            if file.state is not FileState.EXTRA
        }
        wrong = {path: state for path, state in states.items() if state != FileState.OK}
    elif parsed.server is None:
        refuse(f"{lock} names no server to fetch from: pass --check to compare {folder} with it")
    else:
        with server_errors(), connect_as(parsed.server, token) as connection:
            results = list(fetch_lock(parsed, connection, folder))
        wrong = {result.path: str(result.state) for result in results if not result.is_complete}
    for path, state in wrong.items():
        typer.echo(f"{typer.style(state, fg='red')}  {path}")
    n_files = len(parsed.manifest.entries)
    if wrong:
        fail(f"{len(wrong)} of {n_files} files are not those of {lock.name}")
    typer.echo(f"{n_files} files in {folder} are exactly those of {lock.name}")

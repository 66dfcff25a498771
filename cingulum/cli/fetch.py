"""`cingulum fetch`: bring the exact files of a lock, or check that they are there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cingulum.cli._errors import fail, refuse
from cingulum.cli._progress import download_bar
from cingulum.cli._server import server_errors
from cingulum.client import NoLogin, ServerProblem

if TYPE_CHECKING:
    from cingulum.client.locks import Lock

EXAMPLE = """
Example: after `cg.lock("paper.lock")` in Python

\b
cingulum fetch paper.lock --to paper       # download the exact files
cingulum fetch --check paper.lock --to paper   # compare, and read what was pulled since
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(fetch)


def fetch(
    lock: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="written by `cg.lock`")],
    to: Annotated[
        Path | None, typer.Option(help="folder; default: the ONE client's folder of the lock's server")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="only compare; also with the notices of the server")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="with --check: without the server")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace files that are here with other bytes")
    ] = False,
    token: Annotated[str | None, typer.Option(help="default: CINGULUM_TOKEN, or of setup-one")] = None,
) -> None:
    """Download the files of LOCK with exactly its bytes. Exit code 1 if one is missing or has others.

    The server sends the newest version of a file: one that changed since the lock is listed, and not downloaded. A file
    that is here with other bytes stays, unless --overwrite. --check also lists notices of the server on these files,
    such as of those that were pulled; an error among them is exit code 1, too. CINGULUM_TOKEN and CINGULUM_PASSWORD are
    sent only to CINGULUM_URL: for another server, which the lock names, run `cingulum setup-one --url …` once, or pass
    --token.
    """
    # Imported here because they need numpy, which few commands do.
    from cingulum.client.credentials import cache_folder
    from cingulum.client.locks import parse_lock
    from cingulum.client.problems import ClientError

    try:
        parsed = parse_lock(lock.read_bytes())
    except ClientError as problem:
        refuse(f"{lock}: {problem}")
    if to is None and parsed.server is None:
        refuse(f"{lock} is of a folder, not of a server: pass --to FOLDER")
    folder = to or cache_folder(parsed.server or "")
    if offline and not check:
        refuse("--offline is for --check: without the server, nothing is downloaded")
    n_errors = 0
    if check:
        wrong = _compare(parsed, folder)
        n_errors = _no_notices("offline") if offline else _list_notices(parsed, token)
    elif parsed.server is None:
        refuse(f"{lock} names no server to fetch from: pass --check to compare {folder} with it")
    else:
        wrong = _download(parsed, parsed.server, token, folder, lock.name, overwrite=overwrite)
    for path, state in wrong.items():
        typer.echo(f"{typer.style(state, fg='red')}  {path}")
    n_files = len(parsed.manifest.entries)
    if wrong:
        fail(f"{len(wrong)} of {n_files} files are not those of {lock.name}")
    if n_errors:
        fail(f"{n_errors} of {n_files} files are those of {lock.name}, and should not be used any more")
    typer.echo(f"{n_files} files in {folder} are exactly those of {lock.name}")


def _download(
    lock: Lock, server: str, token: str | None, folder: Path, name: str, *, overwrite: bool
) -> dict[str, str]:
    """State of each file that could not be brought, by path."""
    from cingulum.client.credentials import connect_to_named
    from cingulum.client.locks import fetch_lock

    with (
        server_errors(),
        connect_to_named(server, token) as connection,
        download_bar(name, lock.manifest.size_bytes) as step,
    ):
        results = list(fetch_lock(lock, connection, folder, step, overwrite=overwrite))
    return {result.path: str(result.state) for result in results if not result.is_complete}


def _list_notices(lock: Lock, token: str | None) -> int:
    """Print the notices of the lock's server; how many files have one that is an error."""
    from cingulum.client.credentials import connect_to_named
    from cingulum.client.notices import fetch_notices

    if lock.server is None:
        return _no_notices("the lock names no server")
    try:
        with connect_to_named(lock.server, token) as connection:
            notices = fetch_notices(connection, lock.manifest.entries)
    except (NoLogin, ServerProblem) as problem:
        return _no_notices(str(problem))
    for notice in notices:
        word = typer.style("error", fg="red") if notice.is_error else typer.style("notice", fg="yellow")
        typer.echo(f"{word}  {notice.path} ({notice.text})")
    return len({notice.path for notice in notices if notice.is_error})


def _no_notices(reason: str) -> int:
    """State on stderr that pulled files are not known: that all is right would be more than was checked."""
    typer.secho(f"not checked: notices of the server ({reason})", fg="yellow", err=True)
    return 0


def _compare(lock: Lock, folder: Path) -> dict[str, str]:
    """State of each file that is not here with the bytes of the lock, by path."""
    from cingulum.manifests import FileState, verify_folder

    files = verify_folder(lock.manifest, folder).files
    return {file.path: str(file.state) for file in files if file.state not in {FileState.OK, FileState.EXTRA}}

"""`cingulum import one-tables`: sessions and datasets of another server, by the tables of the ONE client."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from cingulum.cli._errors import refuse
from cingulum.cli._server import Password, Url, User, server_errors
from cingulum.cli.scan import connected_unattended, progress, report
from cingulum.export.table_reading import InvalidTable
from cingulum.scan import ScanRefused, Server
from cingulum.scan.importing import Importer
from cingulum.scan.one_tables import read_one_tables

_EXAMPLE: Final = """
Example: the tables that the ONE client downloaded from a public server

\b
cingulum import one-tables ~/Downloads/ONE/openalyx.internationalbrainlab.org \\
    --repository public_server --create-subjects --dry-run
"""


def register(app: typer.Typer) -> None:
    """Add the command `import one-tables`."""
    group = typer.Typer(
        help="Import metadata of another server.",
        epilog="Example: `cingulum import one-tables --help` shows how to begin.",
        no_args_is_help=True,
    )
    group.callback()(_import)
    group.command("one-tables", epilog=_EXAMPLE)(one_tables)
    app.add_typer(group, name="import")


def _import() -> None:
    """Import metadata of another server."""


def one_tables(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="has sessions.pqt and datasets.pqt")
    ],
    repository: Annotated[str, typer.Option(help="name of the repository that has the files")],
    create_subjects: Annotated[
        bool, typer.Option("--create-subjects", help="create the subjects that do not exist")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show what would be created")] = False,
    problems: Annotated[
        Path | None, typer.Option(dir_okay=False, help="write all problems to this CSV file")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="file with a token, instead of a password"),
    ] = None,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Create the sessions and datasets of ONE's tables, with their ids, sizes, hashes, QC and default revisions.

    What exists is left as it is, so an interrupted import continues when it is started again. Ids that are no random
    UUIDs, as those of tables made from a folder, are replaced by new ones.

    Exit code 0: everything is there; 1: some of it is not, each listed with what to do.
    """
    try:
        tables = read_one_tables(folder)
    except (OSError, InvalidTable) as error:
        refuse(f"{folder}: {error}")
    console = Console(highlight=False, soft_wrap=True)
    with server_errors(), connected_unattended(url, user, password, token_file) as connection:
        server = Server(connection)
        try:
            place = server.find_repository(repository)
        except ScanRefused as error:
            refuse(str(error))
        with progress(console) as bars:
            n_datasets = sum(len(session.datasets) for session in tables.sessions)
            task = bars.add_task("importing", total=n_datasets)
            importer = Importer(server, place.name, create_subjects, dry_run)
            result = importer.run(tables, lambda n: bars.advance(task, n))
    console.print(
        f"{'would create' if dry_run else 'created'}: {result.n_subjects:,} subjects, {result.n_sessions:,} sessions, "
        f"{result.n_datasets:,} datasets; {result.n_same:,} datasets exist, {result.n_new_ids:,} objects have other ids"
    )
    if left_out := tables.n_absent + tables.n_orphans:
        console.print(f"{left_out:,} datasets of the tables are in no session there, or do not exist")
    report(console, result.problems, problems)
    raise typer.Exit(1 if result.problems else 0)

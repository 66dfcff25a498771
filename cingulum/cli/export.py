"""`cingulum export zip`: sessions of a folder in one file that opens without a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from cingulum.cli._errors import fail, refuse
from cingulum.file_identity import FileChanged
from cingulum.manifests import InvalidManifest
from cingulum.sizes import format_size

_MOST_LINES: Final = 20


def register(app: typer.Typer) -> None:
    """Add the command `export zip`."""
    group = typer.Typer(
        help="Pack sessions into one file that opens without a server.",
        epilog="Example: `cingulum export zip hilllab/Subjects/m1 --out m1.zip`",
        no_args_is_help=True,
    )
    group.callback()(_export)
    group.command("zip", epilog="Example: `cingulum export zip hilllab/Subjects/m1 --out m1.zip`")(zip_)
    app.add_typer(group, name="export")


def _export() -> None:
    """Pack sessions into one file that opens without a server."""


def zip_(
    folder: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, help="a session's folder, or one that contains sessions"
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="the zip to write", show_default="name of the folder, here")
    ] = None,
) -> None:
    """Write all datasets below FOLDER to a zip, with what others need to open and check them.

    The zip has a ONE tree with the tables that ONE searches, a manifest with the SHA-256 of each file, RO-Crate
    metadata and a README. Each file is read once, and stored as it is. Ids are those of sessions.pqt and datasets.pqt
    in FOLDER, if it has them. Needs no server.
    """
    # Imported here because they need pyarrow, which no other command does.
    from cingulum.export.from_folder import NothingToExport, plan_folder, zip_folder
    from cingulum.export.table_reading import InvalidTable

    out = out or Path(f"{folder.resolve().name}.zip")
    if out.exists():
        refuse(f"{out} exists: name another file by --out")
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(file=sys.stdout),
        transient=True,
        disable=not sys.stdout.isatty(),
    )
    try:
        plan = plan_folder(folder, out.stem)
        with bars:
            task = bars.add_task(out.name, total=plan.size_bytes)
            contents = zip_folder(plan, out, lambda n: bars.advance(task, n))
    except (NothingToExport, InvalidTable, InvalidManifest, FileChanged, OSError) as error:
        fail(str(error))
    for left in plan.left_out[:_MOST_LINES]:
        typer.echo(f"not included: {left.path}: {left.reason}")
    if len(plan.left_out) > _MOST_LINES:
        typer.echo(f"not included: {len(plan.left_out) - _MOST_LINES} more, listed in README.txt of the zip")
    typer.echo(
        f"{out}: {len(contents.files)} datasets of {len(contents.sessions)} sessions, "
        f"{format_size(contents.size_bytes)}"
    )

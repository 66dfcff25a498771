"""`cingulum alf check`: check names and folders against the ALF convention."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command `alf check`."""
    alf = typer.Typer(
        help="Check names and folders against the ALF convention.",
        epilog="Example: `cingulum alf check hilllab/Subjects`",
        no_args_is_help=True,
    )
    alf.command(epilog="Example: `cingulum alf check hilllab/Subjects/m1/2024-01-02/001 --quiet`")(check)
    app.add_typer(alf, name="alf")


def check(
    folder: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, help="a session's folder, or one that contains sessions"
        ),
    ],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="show only files with problems")] = False,
) -> None:
    """Check every file below FOLDER, and show what to correct. Exit code 1 if a file has a problem."""
    # Imported here because it needs pandas: 100 MB that no other command needs.
    from cingulum.alf.check import FileVerdict, check_folder

    marks = {
        FileVerdict.FINE: ("fine ", "green"),
        FileVerdict.NOTE: ("note ", "yellow"),
        FileVerdict.WRONG: ("wrong", "red"),
    }
    findings = check_folder(folder)
    for path, verdict, advice in findings:
        if quiet and verdict is FileVerdict.FINE:
            continue
        mark, colour = marks[verdict]
        typer.echo(f"{typer.style(mark, fg=colour)}  {path}" + (f"\n       {advice}" if advice else ""))
    counts = Counter(verdict for _, verdict, _ in findings)
    typer.echo(", ".join(f"{counts[verdict]} {verdict}" for verdict in FileVerdict))
    raise typer.Exit(code=1 if counts[FileVerdict.WRONG] else 0)

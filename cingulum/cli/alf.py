"""`cingulum alf`: names and folders of the ALF convention."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb group."""
    alf = typer.Typer(help="Names and folders of the ALF convention.", no_args_is_help=True)
    alf.command()(check)
    app.add_typer(alf, name="alf")


def check(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="a session, or what holds sessions")
    ],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="leave out the files that are fine")] = False,
) -> None:
    """Say of every file below FOLDER: fine, or what to do. Exit code 1 if one is wrong."""
    # Imported here, for it brings pandas: 100 MB that every other verb would carry.
    from cingulum.alf.check import Verdict, check_folder

    marks = {
        Verdict.FINE: ("fine ", "green"),
        Verdict.NOTE: ("note ", "yellow"),
        Verdict.WRONG: ("wrong", "red"),
    }
    findings = check_folder(folder)
    for path, verdict, advice in findings:
        if quiet and verdict is Verdict.FINE:
            continue
        mark, colour = marks[verdict]
        typer.echo(f"{typer.style(mark, fg=colour)}  {path}" + (f"\n       {advice}" if advice else ""))
    counts = Counter(verdict for _, verdict, _ in findings)
    typer.echo(", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict))
    raise typer.Exit(code=1 if counts[Verdict.WRONG] else 0)

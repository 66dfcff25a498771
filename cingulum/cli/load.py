"""`cingulum load`: create or update labs, users, subjects and their records from one declarative file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cingulum.cli._errors import fail
from cingulum.cli._server import Password, Url, User, connected
from cingulum.client.loading import (
    Action,
    BadFile,
    RowRefused,
    Step,
    carry_out,
    plan,
    read_load_file,
)

MARKS = {Action.CREATE: "+", Action.CHANGE: "~", Action.SAME: "=", Action.KEPT: "!"}
EXAMPLE = """
Example: the file `lab.json`

\b
{"labs": [{"name": "hilllab", "timezone": "Europe/London"}],
 "subjects": [{"nickname": "PVC_021", "lab": "hilllab", "sex": "F", "birth_date": "2024-01-05"}]}

\b
cingulum load lab.json --dry-run    # what would change
cingulum load lab.json
"""
COLOURS = {Action.CREATE: "green", Action.CHANGE: "yellow", Action.SAME: "dim", Action.KEPT: "red"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(load)


def load(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON; see examples/load-file.example.json")
    ],
    url: Url = None,
    user: User = None,
    password: Password = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show what would change")] = False,
    set_passwords: Annotated[
        bool, typer.Option("--set-passwords", help="also change the passwords of existing users")
    ] = False,
) -> None:
    """Create and update the rows that FILE declares, as an administrator.

    Rows are identified by their names: an existing row that differs is updated; loading a file twice changes
    nothing. Without --url, --user, --password: CINGULUM_URL, CINGULUM_USER, CINGULUM_PASSWORD, then the local system's
    login.json.
    """
    try:
        rows = read_load_file(file.read_text())
        with connected(url, user, password) as connection:
            steps = plan(connection, rows, set_passwords=set_passwords)
            for step in steps:
                if step.action is Action.KEPT or (dry_run and step.action is not Action.SAME):
                    _show(step)
            if not dry_run:
                carry_out(connection, steps)
    except BadFile as error:
        fail(f"{file}: {error}")
    except RowRefused as error:
        fail(
            f"{file}, {str(error).rstrip('.')}. Rows before it are loaded; correct it and run the command again."
        )
    Console().print(summary(steps, "would be" if dry_run else "is"))


def summary(steps: Sequence[Step], verb: str = "is") -> Table:
    """Counts of created, changed and equal rows per section."""
    counts = Counter((step.row.kind.section, step.action) for step in steps)
    used = [action for action in Action if action is not Action.KEPT or any(a is action for _, a in counts)]
    titles = {
        Action.CREATE: f"{verb} created",
        Action.CHANGE: f"{verb} updated",
        Action.SAME: "same",
        Action.KEPT: "differs, kept",
    }
    table = Table("section", *(titles[action] for action in used))
    for section in dict.fromkeys(step.row.kind.section for step in steps):
        table.add_row(section, *(str(counts[section, action] or "") for action in used))
    return table


def _show(step: Step) -> None:
    note = f"  (not changed: {step.why})" if step.action is Action.KEPT else ""
    typer.secho(f"{MARKS[step.action]} {step.row.kind.section} {step.row.name}{note}", fg=_colour(step))
    for difference in step.differences:
        typer.echo(f"    {difference.field}: {difference.current!r} → {difference.new!r}")


def _colour(step: Step) -> str | None:
    return None if COLOURS[step.action] == "dim" else COLOURS[step.action]

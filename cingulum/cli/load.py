"""`cingulum load`: labs, people, animals and their records from one declarative file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cingulum.client import NoLogin, ServerProblem, find_login
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
COLOURS = {Action.CREATE: "green", Action.CHANGE: "yellow", Action.SAME: "dim", Action.KEPT: "red"}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(load)


def load(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON; see examples/load-file.example.json")
    ],
    url: Annotated[str | None, typer.Option(help="the server, such as http://127.0.0.1:8000")] = None,
    user: Annotated[str | None, typer.Option(help="an administrator")] = None,
    password: Annotated[str | None, typer.Option(help="or CINGULUM_PASSWORD")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show what would change")] = False,
    set_passwords: Annotated[
        bool, typer.Option("--set-passwords", help="also change passwords of people who are there already")
    ] = False,
) -> None:
    """Write down what FILE declares. Names are keys: what is there already is compared, not repeated.

    Without --url, --user, --password: CINGULUM_URL, CINGULUM_USER, CINGULUM_PASSWORD, then the local
    system's login.json.
    """
    try:
        rows = read_load_file(file.read_text())
        with find_login(url, user, password).connect() as connection:
            steps = plan(connection, rows, set_passwords=set_passwords)
            for step in steps:
                if step.action is Action.KEPT or (dry_run and step.action is not Action.SAME):
                    _show(step)
            if not dry_run:
                carry_out(connection, steps)
    except BadFile as error:
        _refuse(f"{file}: {error}")
    except RowRefused as error:
        _refuse(f"{file}, {error}. Rows before it are loaded; mend it and load again.")
    except (ServerProblem, NoLogin) as error:
        _refuse(str(error))
    Console().print(summary(steps, "would be" if dry_run else "is"))


def summary(steps: Sequence[Step], verb: str = "is") -> Table:
    """What became of the rows of each section, as a table."""
    counts = Counter((step.row.kind.section, step.action) for step in steps)
    used = [action for action in Action if action is not Action.KEPT or any(a is action for _, a in counts)]
    heads = {
        Action.CREATE: f"{verb} new",
        Action.CHANGE: f"{verb} changed",
        Action.SAME: "same",
        Action.KEPT: "differs, kept",
    }
    table = Table("section", *(heads[action] for action in used))
    for section in dict.fromkeys(step.row.kind.section for step in steps):
        table.add_row(section, *(str(counts[section, action] or "") for action in used))
    return table


def _show(step: Step) -> None:
    kept = f"  ({step.why}: left as it is)" if step.action is Action.KEPT else ""
    typer.secho(f"{MARKS[step.action]} {step.row.kind.section} {step.row.name}{kept}", fg=_colour(step))
    for difference in step.differences:
        typer.echo(f"    {difference.field}: {difference.found!r} → {difference.wanted!r}")


def _colour(step: Step) -> str | None:
    return None if COLOURS[step.action] == "dim" else COLOURS[step.action]


def _refuse(why: str) -> None:
    typer.secho(why, fg="red", err=True)
    raise typer.Exit(code=1)

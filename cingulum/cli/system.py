"""`cingulum status`, `logs`, `doctor`, `setup-one`: state of a system, its problems and their fixes."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cingulum.cli._server import Password, Url, User, connected, server_errors
from cingulum.client import Connection, find_login
from cingulum.client.checks import diagnose, services
from cingulum.client.login import login_by_token
from cingulum.client.one_setup import set_up_one


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: `cingulum status --url https://lab.example.org --user ada`")(status)
    app.command(
        epilog="Example: `cingulum logs` lists the last jobs with their ids, `cingulum logs ID --follow` shows one."
    )(logs)
    app.command(epilog="Example: `cingulum doctor --url https://lab.example.org --user ada`")(doctor)
    app.command("setup-one", epilog="Example: `cingulum setup-one --url https://lab.example.org --user ada`")(
        setup_one
    )


def status(url: Url = None, user: User = None, password: Password = None) -> None:
    """Show the state of services, and numbers of jobs, copies and workers. Exit code 1 if a service is not ready."""
    with connected(url, user, password) as connection:
        states = services(connection)
        table = Table("service", "state")
        for name, state in states.items():
            table.add_row(name, Text(state, style="green" if state == "ok" else "red"))
        console = Console(markup=False)
        console.print(connection.base_url)
        console.print(table)
        console.print(counts(connection))
    raise typer.Exit(code=0 if all(state == "ok" for state in states.values()) else 1)


def counts(connection: Connection) -> Table:
    """Numbers of jobs and copies by state, and of workers by site."""
    table = Table("what", "state", "how many")
    for what, path, state in (
        ("jobs", "/jobs", "state"),
        ("copies", "/copies", "state"),
        ("workers", "/workers", "site"),
    ):
        numbers = Counter(str(row[state]) for row in connection.rows(path))
        for name, n in sorted(numbers.items()):
            table.add_row(what, name, str(n))
    return table


def logs(
    job: Annotated[
        str | None, typer.Argument(help="id of a job; if omitted, the last jobs are listed")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="follow the log until the job ends")] = False,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Show the log of a job, or list the last jobs. (Logs of the services: `make logs`.)"""
    with connected(url, user, password) as connection:
        if job is None:
            Console(markup=False).print(_last_jobs(connection))  # brackets in a reason are not colours
            return
        after = 0
        while True:
            running = connection.get(f"/jobs/{job}")["state"] == "Started"
            for piece in connection.get(f"/jobs/{job}/log", after=str(after)):
                typer.echo(piece["text"], nl=not piece["text"].endswith("\n"))
                after = piece["id"]
            if not (follow and running):
                return
            time.sleep(1)


def _last_jobs(connection: Connection) -> Table:
    table = Table("subject", "task", "state", "why")
    table.add_column("job", no_wrap=True)
    jobs: list[dict[str, Any]] = connection.get("/jobs", limit="20")["results"]
    for row in jobs:
        table.add_row(row["subject"], row["task"], row["state"], row["why"], row["id"])
    return table


def doctor(url: Url = None, user: User = None, password: Password = None) -> None:
    """Run the seven checks that find most problems; each failed one shows the command that fixes it."""
    failed = 0
    with server_errors():
        for finding in diagnose(find_login(url, user, password)):
            mark, colour = ("BAD", "red") if finding.fix else ("ok ", "green")
            typer.echo(f"{typer.style(mark, fg=colour)}  {finding.check}: {finding.result}")
            if finding.fix:
                failed += 1
                typer.secho(f"     fix: {finding.fix}", fg="red")
    raise typer.Exit(code=1 if failed else 0)


def setup_one(
    url: Url = None,
    user: User = None,
    password: Password = None,
    token: Annotated[
        str | None,
        typer.Option(help="a personal token instead of username and password", envvar="CINGULUM_TOKEN"),
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="folder for the ONE client's downloads")] = None,
) -> None:
    """Configure the ONE client of this account for a server: credentials, and the address of the server's files.

    Afterwards `ONE(base_url=...)` needs no password: a token is stored in the client's own folder (~/.one), in the
    client's format, readable by this account only. A password that is not set anywhere is prompted for, without echo.
    """
    with server_errors():
        login = (
            login_by_token(url, token)
            if token
            else find_login(url, user, password, ask_password=_ask_password)
        )
        with login.connect() as connection:
            file = set_up_one(connection, login.username, cache=cache)
    typer.echo(f"Wrote {file}. In Python:")
    typer.echo(f"    from one.api import ONE; one = ONE(base_url='{login.base_url}')")


def _ask_password(prompt: str) -> str:
    return str(typer.prompt(prompt, hide_input=True))

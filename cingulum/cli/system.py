"""`cingulum status`, `logs`, `doctor`, `setup-one`: how the system is, and how to mend it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cingulum.client import Connection, NoLogin, ServerProblem, find_login
from cingulum.client.checks import diagnose, services
from cingulum.client.login import login_by_token
from cingulum.client.one_setup import set_up_one

Url = Annotated[str | None, typer.Option(help="the server; else CINGULUM_URL or login.json")]
User = Annotated[str | None, typer.Option(help="else CINGULUM_USER or login.json")]
Password = Annotated[str | None, typer.Option(help="else CINGULUM_PASSWORD or login.json")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(status)
    app.command()(logs)
    app.command()(doctor)
    app.command("setup-one")(setup_one)


def status(url: Url = None, user: User = None, password: Password = None) -> None:
    """Show services, jobs, copies and workers in numbers. Exit code 1 if a service is not ready."""
    with _told(), find_login(url, user, password).connect() as connection:
        states = services(connection)
        parts = Table("service", "says")
        for name, said in states.items():
            parts.add_row(name, Text(said, style="green" if said == "ok" else "red"))
        console = Console(markup=False)
        console.print(connection.base_url)
        console.print(parts)
        console.print(counts(connection))
    raise typer.Exit(code=0 if all(said == "ok" for said in states.values()) else 1)


def counts(connection: Connection) -> Table:
    """How many jobs, copies and workers there are, by state."""
    table = Table("what", "state", "how many")
    for what, path, state in (
        ("jobs", "/jobs", "state"),
        ("copies", "/copies", "state"),
        ("workers", "/workers", "site"),
    ):
        found = Counter(str(row[state]) for row in connection.rows(path))
        for name, n in sorted(found.items()):
            table.add_row(what, name, str(n))
    return table


def logs(
    job: Annotated[
        str | None, typer.Argument(help="id of a job; without it the last jobs are listed")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="also what comes, until the job ends")
    ] = False,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Show what a job said while it ran. (What the services say: `make logs`.)"""
    with _told(), find_login(url, user, password).connect() as connection:
        if job is None:
            Console(markup=False).print(_last_jobs(connection))  # a reason's brackets are no colours
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
    """Ask the six questions that find most troubles; each red line names the command that mends it."""
    bad = 0
    with _told():
        for finding in diagnose(find_login(url, user, password)):
            mark, colour = ("BAD", "red") if finding.mend else ("ok ", "green")
            typer.echo(f"{typer.style(mark, fg=colour)}  {finding.question}: {finding.said}")
            if finding.mend:
                bad += 1
                typer.secho(f"     mend it: {finding.mend}", fg="red")
    raise typer.Exit(code=1 if bad else 0)


def setup_one(
    url: Url = None,
    user: User = None,
    password: Password = None,
    token: Annotated[
        str | None,
        typer.Option(help="a personal token instead of user and password", envvar="CINGULUM_TOKEN"),
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="where the ONE client keeps its downloads")] = None,
) -> None:
    """Sign the ONE client of this account in to a server, and name the server's files to it.

    Afterwards `ONE(base_url=...)` asks for nothing: the client's own folder (~/.one) holds a token as the client
    keeps it, readable by this account only. A password that is given nowhere is asked for, without echo.
    """
    with _told():
        login = (
            login_by_token(url, token)
            if token
            else find_login(url, user, password, ask_password=_ask_password)
        )
        with login.connect() as connection:
            file = set_up_one(connection, login.username, cache=cache)
    typer.echo(f"{file} is written. In Python:")
    typer.echo(f"    from one.api import ONE; one = ONE(base_url='{login.base_url}')")


def _ask_password(prompt: str) -> str:
    return str(typer.prompt(prompt, hide_input=True))


@contextmanager
def _told() -> Iterator[None]:
    """Say in one line what is wrong, and end with exit code 1."""
    try:
        yield
    except (ServerProblem, NoLogin) as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(code=1) from None

"""`cingulum events`: what one service told another and could not be handled, for administrators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cingulum.client import Connection, NoLogin, ServerProblem, find_login
from cingulum.client.checks import HEARING

HELP = """See, retry and drop events that a service could not handle. For administrators.

Services tell each other what happened by events, such as "this upload is complete". An event that fails for want of
a database, a store or a network WAITS: it is tried again after 1 s to 5 minutes, without end, and later events of the
same file, job or session wait behind it. Mend what is away; `retry` only makes the next try sooner.

An event that failed five times by its own fault is PARKED and not tried again. Read its error, mend the cause (often
by an upgrade), then `retry` it. `drop` means that it will never be handled; the audit log keeps all of it."""


class State(StrEnum):
    """What became of an event that failed."""

    PARKED = "parked"
    WAITING = "waiting"


Url = Annotated[str | None, typer.Option(help="the server; else CINGULUM_URL or login.json")]
User = Annotated[str | None, typer.Option(help="else CINGULUM_USER or login.json")]
Password = Annotated[str | None, typer.Option(help="else CINGULUM_PASSWORD or login.json")]
ServiceName = Annotated[str, typer.Argument(help=f"who could not handle it: {', '.join(HEARING)}")]


def register(app: typer.Typer) -> None:
    """Add the verb group."""
    events = typer.Typer(
        help=HELP, short_help="See, retry and drop events that failed.", no_args_is_help=True
    )
    events.command("list")(list_events)
    events.command()(retry)
    events.command()(drop)
    app.add_typer(events, name="events")


def list_events(
    service: Annotated[str | None, typer.Argument(help="only of this service")] = None,
    payload: Annotated[bool, typer.Option("--payload", help="also what the events say")] = False,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """List events that are parked or wait. Exit code 1 if any is parked."""
    parked = 0
    with _connected(url, user, password) as connection:
        table = Table("service", "state", "event", "subject", "next try", "error")
        for name in (service,) if service else HEARING:
            for state in State:
                for row in connection.rows(f"/events/{name}/{state}"):
                    parked += state is State.PARKED
                    table.add_row(name, state, *_cells(row, payload=payload))
        console = Console(soft_wrap=True, markup=False)  # an error's brackets are no colours
        console.print(table if table.row_count else "No event failed.")
    raise typer.Exit(code=1 if parked else 0)


def _cells(row: dict[str, Any], *, payload: bool) -> tuple[str, ...]:
    why = row["error"] or f"waits behind another event of {row['key']}"
    said = f"{why}\n{row['payload']}" if payload else why
    return row["event_id"], row["subject"], row["retry_at"] or "never", said


def retry(
    service: ServiceName,
    event: Annotated[str | None, typer.Argument(help="id of the event, as `list` shows it")] = None,
    everything: Annotated[bool, typer.Option("--all", help="every parked event of the service")] = False,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Try an event again now; its failures count from zero."""
    if (event is None) != everything:
        raise typer.BadParameter("name one event, or give --all")
    with _connected(url, user, password) as connection:
        rows = list(_found(connection, service, event))
        for state, event_id in rows:
            connection.post(f"/events/{service}/{state}/{event_id}/retry", {})
    typer.echo(f"{len(rows)} events are tried again; `cingulum events list {service}` shows what fails anew.")


def drop(
    service: ServiceName,
    event: Annotated[str, typer.Argument(help="id of the event, as `list` shows it")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Never handle an event. What it would have done stays undone; the audit log keeps all of it."""
    with _connected(url, user, password) as connection:
        for state, event_id in _found(connection, service, event):
            if not yes:
                typer.confirm(f"Drop event {event_id} of {service} for good?", abort=True)
            connection.request("DELETE", f"/events/{service}/{state}/{event_id}")
    typer.echo("Dropped. `GET /audit/" + service + "?action=event.dropped` shows what it said.")


def _found(connection: Connection, service: str, event: str | None) -> Iterator[tuple[State, str]]:
    """The named event with its state, or all that are parked. Exit code 1 where there is no such event."""
    states = tuple(State) if event else (State.PARKED,)
    kept = [(s, str(row["event_id"])) for s in states for row in connection.rows(f"/events/{service}/{s}")]
    found = [each for each in kept if event in (None, each[1])]
    if event and not found:
        typer.secho(
            f"No event {event} is parked or waits in {service}: `cingulum events list`.", fg="red", err=True
        )
        raise typer.Exit(code=1)
    yield from found


@contextmanager
def _connected(url: str | None, user: str | None, password: str | None) -> Iterator[Connection]:
    """A connection; what is wrong is told in one line, with exit code 1."""
    try:
        with find_login(url, user, password).connect() as connection:
            yield connection
    except (ServerProblem, NoLogin) as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(code=1) from None

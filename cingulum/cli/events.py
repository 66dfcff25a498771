"""`cingulum events`: events that a service could not handle, for administrators."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cingulum.cli._errors import fail
from cingulum.cli._server import Password, Url, User, connected
from cingulum.client import Connection
from cingulum.client.checks import EVENT_SERVICES

HELP = """List, retry and drop events that a service could not handle. For administrators.

Services inform each other by events, such as "this upload is complete". An event that fails because a database, a
store or a network is unavailable WAITS: it is retried after 1 s to 5 minutes, without limit, and later events of the
same file, job or session wait behind it. Fix what is unavailable; `retry` starts the next attempt at once.

An event that itself caused five failures is PARKED and not retried. Read its error, fix the cause (often by an
upgrade), then `retry` it. After `drop` it will never be handled; the audit log keeps all of it."""
LIST_EXAMPLE = "Example: `cingulum events list scheduler --payload`"
RETRY_EXAMPLE = (
    "Example: `cingulum events retry scheduler --all`, or with the id of one event instead of `--all`."
)
DROP_EXAMPLE = "Example: `cingulum events drop scheduler 0192f3c1-7a43-7e61-b6b4-1f6d3f8c2d55`"


class State(StrEnum):
    """The state of an event that failed."""

    PARKED = "parked"
    WAITING = "waiting"


ServiceName = Annotated[
    str, typer.Argument(help=f"the service that could not handle it: {', '.join(EVENT_SERVICES)}")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    events = typer.Typer(
        help=HELP,
        short_help="List, retry and drop events that failed.",
        epilog=LIST_EXAMPLE,
        no_args_is_help=True,
    )
    events.command("list", epilog=LIST_EXAMPLE)(list_events)
    events.command(epilog=RETRY_EXAMPLE)(retry)
    events.command(epilog=DROP_EXAMPLE)(drop)
    app.add_typer(events, name="events")


def list_events(
    service: Annotated[str | None, typer.Argument(help="list only events of this service")] = None,
    payload: Annotated[bool, typer.Option("--payload", help="also show the payload of each event")] = False,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """List events that are parked or waiting. Exit code 1 if any is parked."""
    parked = 0
    with connected(url, user, password) as connection:
        table = Table("service", "state", "event", "subject", "next try", "error")
        for name in (service,) if service else EVENT_SERVICES:
            for state in State:
                for row in connection.rows(f"/events/{name}/{state}"):
                    parked += state is State.PARKED
                    table.add_row(name, state, *_cells(row, payload=payload))
        console = Console(soft_wrap=True, markup=False)  # brackets in an error are not colours
        console.print(table if table.row_count else "No event failed.")
    raise typer.Exit(code=1 if parked else 0)


def _cells(row: dict[str, Any], *, payload: bool) -> tuple[str, ...]:
    why = row["error"] or f"waits behind another event of {row['key']}"
    details = f"{why}\n{row['payload']}" if payload else why
    return row["event_id"], row["subject"], row["retry_at"] or "never", details


def retry(
    service: ServiceName,
    event: Annotated[str | None, typer.Argument(help="id of the event, as `list` shows it")] = None,
    everything: Annotated[bool, typer.Option("--all", help="retry all parked events of the service")] = False,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Retry an event now; its failures are counted from zero again."""
    if (event is None) != everything:
        raise typer.BadParameter("name one event, or give --all")
    with connected(url, user, password) as connection:
        rows = list(_matching(connection, service, event))
        for state, event_id in rows:
            connection.post(f"/events/{service}/{state}/{event_id}/retry", {})
    typer.echo(
        f"{len(rows)} events will be retried; `cingulum events list {service}` shows those that fail again."
    )


def drop(
    service: ServiceName,
    event: Annotated[str, typer.Argument(help="id of the event, as `list` shows it")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask for confirmation")] = False,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Delete an event without handling it. It will never take effect; the audit log keeps all of it."""
    with connected(url, user, password) as connection:
        for state, event_id in _matching(connection, service, event):
            if not yes:
                typer.confirm(f"Permanently drop event {event_id} of {service}?", abort=True)
            connection.request("DELETE", f"/events/{service}/{state}/{event_id}")
    typer.echo("Dropped. `GET /audit/" + service + "?action=event.dropped` shows its content.")


def _matching(connection: Connection, service: str, event: str | None) -> Iterator[tuple[State, str]]:
    """The named event with its state, or all that are parked. Exit code 1 if there is no such event."""
    states = tuple(State) if event else (State.PARKED,)
    failed = [(s, str(row["event_id"])) for s in states for row in connection.rows(f"/events/{service}/{s}")]
    matching = [item for item in failed if event in (None, item[1])]
    if event and not matching:
        fail(f"No event {event} is parked or waits in {service}: see `cingulum events list {service}`.")
    yield from matching

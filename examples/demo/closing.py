"""The end of the demo: what exists now, where to see it, and what to try next."""

from __future__ import annotations

from collections import Counter

from rich.table import Table

from examples.demo.steps import release
from examples.demo.world import World


def show(world: World) -> None:
    """Print a table of what exists now, the portal's address, a login, and three next commands."""
    console = world.screen.console
    table = Table(title="What exists now", title_justify="left")
    for column in ("what", "how many", "in words"):
        table.add_column(column)
    for row in _rows(world):
        table.add_row(*row)
    console.print(table)
    user = "demo_experimenter"
    console.print(f"Portal         [bold]{world.login.base_url}/app/")
    console.print(f"Login          [bold]{user}[/]  {world.password_of(user)}")
    console.print(f"Administrator  {world.home / 'login.json'}")
    console.print(f"Release        {release.address(world)}/{release.NAME}.zip")
    console.print("Next:")
    for command in (
        ".venv/bin/cingulum status",
        ".venv/bin/cingulum doctor",
        ".venv/bin/cingulum setup-one   # then README's lines in .venv/bin/python",
    ):
        console.print(f"  {command}", soft_wrap=True)


def _rows(world: World) -> list[tuple[str, str, str]]:
    ask = world.connection
    labs = [row["name"] for row in ask.rows("/labs")]
    people = [row["username"] for row in ask.rows("/users")]
    subjects = [row["nickname"] for row in ask.rows("/subjects")]
    sessions = list(ask.rows("/sessions"))
    copies = Counter(f"{row['state']} in {row['repository']}" for row in ask.rows("/copies"))
    jobs = Counter(row["state"] for row in ask.rows("/jobs"))
    days = sorted({row["start_time"][:10] for row in sessions})
    return [
        ("labs", str(len(labs)), ", ".join(labs)),
        ("people", str(len(people)), ", ".join(people)),
        ("subjects", str(len(subjects)), ", ".join(subjects)),
        ("sessions", str(len(sessions)), f"{days[0]} to {days[-1]}" if days else ""),
        ("datasets", str(ask.get("/datasets", limit="1")["count"]), ""),
        ("copies", str(copies.total()), ", ".join(f"{n} {name}" for name, n in sorted(copies.items()))),
        ("jobs", str(jobs.total()), ", ".join(f"{n} {name}" for name, n in sorted(jobs.items()))),
    ]

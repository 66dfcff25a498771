"""`cingulum search`, `ls` and `get`: sessions and datasets of a server, or of a folder without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cingulum.cli._errors import fail
from cingulum.cli._server import server_errors

if TYPE_CHECKING:
    from cingulum.client.client import Client

Url = Annotated[str | None, typer.Option(help="server; default: CINGULUM_URL, or that of setup-one")]
Folder = Annotated[Path | None, typer.Option(help="a folder instead of a server, such as an unpacked export")]
AsJson = Annotated[bool, typer.Option("--json", help="for programs: a JSON list")]
Named = Annotated[str, typer.Argument(help="id or path, such as hilllab/KS014/2020-08-21/001")]
Texts = Annotated[list[str] | None, typer.Option(help="name or pattern; may be repeated")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: `cingulum search --subject KS014 --dataset spikes.times`")(search)
    app.command("ls", epilog="Example: `cingulum ls hilllab/KS014/2020-08-21/001 --folder paper`")(
        list_datasets
    )
    app.command(epilog="Example: `cingulum get hilllab/KS014/2020-08-21/001 spikes --probe probe00`")(get)


def search(
    subject: Texts = None,
    lab: Texts = None,
    dataset: Texts = None,
    project: Texts = None,
    task: Texts = None,
    region: Texts = None,
    text: Annotated[
        str | None,
        typer.Option(help="words of narratives, notes and names, such as 'lick \"left wheel\" -test'"),
    ] = None,
    date: Annotated[str | None, typer.Option(help="a day, or FROM,TO")] = None,
    qc: Annotated[str | None, typer.Option(help="the worst that counts, such as WARNING")] = None,
    url: Url = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List sessions that pass all filters, newest first."""
    names = {
        "subject": subject,
        "lab": lab,
        "dataset": dataset,
        "project": project,
        "task": task,
        "region": region,
    }
    filters: dict[str, Any] = {name: values for name, values in names.items() if values}
    if date:
        filters["date"] = tuple(day or None for day in date.split(",")) if "," in date else date
    from cingulum.client.sessions import COLUMNS

    with opened(url, folder) as cg:
        _show(COLUMNS, cg.search(**filters, qc=qc, text=text).table(), as_json=as_json)


def list_datasets(session: Named, url: Url = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the datasets of a session, which revision is read, and why."""
    from cingulum.client.datasets import COLUMNS

    with opened(url, folder) as cg:
        _show(COLUMNS, cg.session(session).datasets.table(), as_json=as_json)


def get(
    session: Named,
    name: Annotated[str, typer.Argument(help="object, dataset or pattern; default: all")] = "*",
    probe: Annotated[str | None, typer.Option(help="such as probe00")] = None,
    url: Url = None,
    folder: Folder = None,
) -> None:
    """Download datasets, each once and checked, and print their files' paths."""
    with opened(url, folder) as cg:
        for path in cg.session(session).download(name, probe=probe):
            typer.echo(path)


@contextmanager
def opened(url: str | None, folder: Path | None) -> Iterator[Client]:
    """A client; its errors end the command in one line."""
    # Imported here because it needs numpy and pyarrow, which few commands do.
    from cingulum.client.client import connect, open_folder
    from cingulum.client.problems import ClientError

    try:
        with server_errors(), open_folder(folder) if folder else connect(url) as cg:
            yield cg
    except ClientError as problem:
        fail(str(problem))


def _show(columns: tuple[str, ...], rows: list[Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], ensure_ascii=False))
        return
    for row in rows:
        typer.echo("\t".join(map(str, row)))

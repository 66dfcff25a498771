"""Releases of a server. The secret key stays here: only the signature is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cingulum.cli._errors import refuse
from cingulum.cli._server import Password, Url, User, connected
from cingulum.cli.release.manifests import (
    read_secret_key,
    refusals,
    require_cryptography,
    trusted_comment,
    verify_with_progress,
)
from cingulum.client import Connection
from cingulum.manifests import Manifest, parse_manifest
from cingulum.manifests.signatures import sign
from cingulum.sizes import format_size

Name = Annotated[str, typer.Argument(help="name of the release")]
Search = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="all datasets that match this parameter of GET /datasets; repeated: all of them",
    ),
]


def list_releases(url: Url = None, user: User = None, password: Password = None) -> None:
    """List releases, newest first."""
    with connected(url, user, password) as connection:
        table = Table("name", "state", "sessions", "datasets", "size", "public from", "title")
        for row in connection.rows("/releases"):
            size = "" if row["size_bytes"] is None else format_size(row["size_bytes"])
            table.add_row(
                row["name"],
                row["state"],
                str(row["sessions"]),
                str(row["datasets"]),
                size,
                (row["public_from"] or "")[:16],
                row["title"],
            )
        Console(markup=False).print(table if table.row_count else "There is no release.")


def create(
    name: Name,
    title: Annotated[str, typer.Option(help="title, as repositories list it")],
    tag: Annotated[str | None, typer.Option(help="all datasets with this tag")] = None,
    session: Annotated[list[str] | None, typer.Option(help="id of a session; may be repeated")] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="id of a dataset; may be repeated")] = None,
    search: Search = None,
    licence: Annotated[str, typer.Option("--license", help="SPDX identifier")] = "CC-BY-4.0",
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Create a draft of datasets, of the default revisions of sessions, of all that has a tag, or of a search."""
    with connected(url, user, password) as connection:
        body = {"name": name, "title": title, "license": licence}
        row = connection.post("/releases", body | _choice(tag, session, dataset, search), idempotent=True)
        _show_draft(connection, row)


def change(
    name: Name,
    tag: Annotated[str | None, typer.Option(help="add all datasets with this tag")] = None,
    session: Annotated[list[str] | None, typer.Option(help="add a session, by id; may be repeated")] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="add a dataset, by id; may be repeated")] = None,
    search: Search = None,
    remove_session: Annotated[
        list[str] | None, typer.Option(help="remove a session, by id; may be repeated")
    ] = None,
    remove_dataset: Annotated[
        list[str] | None, typer.Option(help="remove a dataset, by id; may be repeated")
    ] = None,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Add datasets to a draft, or remove some. After an addition, those who had consented consent again."""
    with connected(url, user, password) as connection:
        remove = {"sessions": remove_session or [], "datasets": remove_dataset or []}
        body = {"add": _choice(tag, session, dataset, search), "remove": remove}
        row = connection.patch(f"/releases/{name}/datasets", body)
        _show_draft(connection, row)


def _choice(
    tag: str | None, session: list[str] | None, dataset: list[str] | None, search: list[str] | None
) -> dict[str, Any]:
    """What the options choose; exits for a search without a value."""
    pairs = [text.partition("=") for text in search or []]
    for key, separator, value in pairs:
        if not (key and separator and value):
            refuse(f"--search {key}{separator}{value}: write NAME=VALUE, such as project=maze")
    params = {key: value for key, _, value in pairs}
    return {"tag": tag, "sessions": session or [], "datasets": dataset or [], "search": params or None}


def check(
    name: Name,
    accept: Annotated[
        list[str] | None, typer.Option(help="what may be missing: `qc`, `consent-left`; may be repeated")
    ] = None,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Fix and protect the versions of a draft, if nothing is missing. Exit code 1 if something is."""
    with connected(url, user, password) as connection:
        accepted = set(accept or [])
        if _show_readiness(connection, name, accepted):
            raise typer.Exit(1)
        row = connection.post(f"/releases/{name}/check", {"accept": sorted(accepted)})
        typer.echo(f"{name} is {row['state']}: {row['datasets']} datasets, root {row['root']}")


def publish(
    name: Name,
    key: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="file of the secret key")],
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="end of the embargo, 00:00 UTC; none: at once"),
    ] = None,
    root: Annotated[
        str | None, typer.Option(help="sign only a manifest with this root, which `check` printed")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="compare the manifest with these files first"),
    ] = None,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Sign the manifest of a checked release on this computer, and publish it.

    The server sends the manifest, so compare it before it is signed: by the root that `check` printed (--root), or with
    the files themselves (--folder). Without either, its size and root are shown and confirmed.
    """
    require_cryptography()
    with connected(url, user, password) as connection:
        data = connection.request("GET", f"/releases/{name}/manifest").content
        with refusals(f"the manifest of {name}"):
            manifest = parse_manifest(data)
        if manifest.name != name:
            refuse(f"the manifest is that of {manifest.name}")
        _confirm(manifest, root, folder)
        with refusals(key):
            text = sign(data, read_secret_key(key), trusted_comment("manifest.json"))
        end = until.replace(tzinfo=UTC).isoformat() if until else None
        row = connection.post(f"/releases/{name}/publish", {"signature": text, "embargo_until": end})
        since = f" until {row['public_from'][:10]}" if row["state"] == "embargoed" else ""
        typer.echo(f"{name} is {row['state']}{since}: root {row['root']}, signed by {row['key_id']}")


def _confirm(manifest: Manifest, root: str | None, folder: Path | None) -> None:
    """Exit unless the manifest is what the person means to sign."""
    size = format_size(manifest.size_bytes)
    typer.echo(f"{manifest.name}: {len(manifest.entries)} files, {size}, root {manifest.root}")
    if root is not None and root.lower() != manifest.root:
        refuse(f"nothing is signed: the server sent a manifest with another root than {root}")
    if folder is not None and not verify_with_progress(manifest, folder).is_complete:
        refuse(f"nothing is signed: {folder} has other files (see `cingulum release verify`)")
    if root is None and folder is None:
        typer.confirm("Sign this manifest?", abort=True)


def withdraw(
    name: Name,
    reason: Annotated[str, typer.Option(help="public, if the release was")],
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Withdraw a release: its datasets are no longer public or protected by it."""
    with connected(url, user, password) as connection:
        connection.post(f"/releases/{name}/withdraw", {"reason": reason})
        typer.echo(f"{name} is withdrawn.")


def add_key(
    public: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="file of the public key")],
    name: Annotated[str, typer.Option(help="person or lab that signs with it")],
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Add a public key, whose signatures then publish releases. For administrators."""
    with refusals(public):
        text = public.read_text(encoding="utf-8")
    with connected(url, user, password) as connection:
        row = connection.post("/release-keys", {"name": name, "public_key": text})
        typer.echo(f"Added key {row['key_id']} of {name}.")


def _show_draft(connection: Connection, row: dict[str, Any]) -> None:
    """Print what is in a draft, and what it lacks."""
    typer.echo(f"{row['name']}: a draft of {row['datasets']} datasets of {row['sessions']} sessions.")
    _show_readiness(connection, row["name"])


def _show_readiness(
    connection: Connection, name: str, accepted: set[str] | frozenset[str] = frozenset()
) -> int:
    """Print what is missing and not accepted; how many things that are."""
    readiness: dict[str, Any] = connection.get(f"/releases/{name}/readiness")
    count = 0
    for session in readiness["sessions"]:
        for missing in session["missing"]:
            if missing["kind"] not in accepted:
                count += 1
                typer.echo(
                    f"{missing['kind']}  {session['folder'] or 'without a session'}: {missing['text']}"
                )
    if not count:
        typer.echo("Nothing is missing.")
    return count

"""Releases of a server after their check: links, consent, keys, reads, and what is pulled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cingulum.cli._errors import refuse
from cingulum.cli._server import Password, Url, User, connected
from cingulum.client import Connection

Name = Annotated[str, typer.Argument(help="name of the release")]


def link(
    name: Name,
    label: Annotated[str, typer.Option(help="what it is for, such as `reviewer 2`")],
    days: Annotated[int, typer.Option(min=1, max=365, help="days until it ends")] = 90,
    path: Annotated[str | None, typer.Option(help="one file, as in the manifest; none: all")] = None,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Create a link for a person without an account. Its address is shown once."""
    end = datetime.now(UTC) + timedelta(days=days)
    with connected(url, user, password) as connection:
        body = {"label": label, "path": path, "expires_at": end.isoformat()}
        row = connection.post(f"/releases/{name}/links", body)
        typer.echo(row["url"])
        typer.echo(f"Link {row['id']} ends on {row['expires_at'][:10]}.", err=True)


def unlink(
    name: Name,
    link: Annotated[str | None, typer.Argument(help="id of the link; none: list them")] = None,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Revoke a link at once, or list the links of a release."""
    with connected(url, user, password) as connection:
        if link is not None:
            connection.post(f"/releases/{name}/links/{link}/revoke", {})
            typer.echo(f"Link {link} is revoked.")
            return
        table = Table("id", "label", "path", "ends", "revoked", "uses")
        for row in connection.rows(f"/releases/{name}/links"):
            ends, revoked = row["expires_at"][:10], (row["revoked_at"] or "")[:10]
            table.add_row(row["id"], row["label"], row["path"] or "", ends, revoked, str(row["uses"]))
        _print(table, "The release has no link.")


def consent(
    name: Name,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="no longer agree; possible until the release is public")
    ] = False,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Agree to the release of your own sessions, or withdraw that."""
    with connected(url, user, password) as connection:
        if withdraw:
            connection.request("DELETE", f"/releases/{name}/consent")
            typer.echo(f"You no longer agree to {name}: it cannot be published.")
            return
        readiness: dict[str, Any] = connection.post(f"/releases/{name}/consent", {})
        is_ready = readiness["is_ready"]
        typer.echo(f"You agreed to {name}. " + ("Nothing is missing." if is_ready else "More is missing."))


def revoke_key(
    key: Annotated[str, typer.Argument(help="id of the key, as minisign shows it")],
    reason: Annotated[str, typer.Option(help="public")],
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Revoke a public key: it signs no further release. For administrators."""
    with connected(url, user, password) as connection:
        ids = [row["id"] for row in connection.rows("/release-keys") if row["key_id"] == key.upper()]
        if not ids:
            refuse(f"the server has no key {key}")
        connection.post(f"/release-keys/{ids[0]}/revoke", {"reason": reason})
        typer.echo(f"Key {key} is revoked.")


def doi(
    name: Name,
    identifier: Annotated[str, typer.Argument(metavar="DOI", help="as registered, such as 10.5281/zenodo.1")],
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Enter the DOI of a release, which a repository registered."""
    with connected(url, user, password) as connection:
        row = connection.patch(f"/releases/{name}", {"doi": identifier})
        typer.echo(f"{name}: https://doi.org/{row['doi']}")


def pull(
    name: Name,
    path: Annotated[str, typer.Argument(help="path of the file, as in the manifest")],
    reason: Annotated[str, typer.Option(help="public; those who read the file get it in a data notice")],
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Pull one file of a published release: it is no longer served, and its readers get a data notice."""
    with connected(url, user, password) as connection:
        body = {"dataset": _dataset_of(connection, name, path), "reason": reason}
        connection.post(f"/releases/{name}/pulled", body)
        typer.echo(f"{path} is pulled from {name}; the manifest stays as it was signed.")


def reads(name: Name, url: Url = None, user: User = None, password: Password = None) -> None:
    """List who read which file of a release on which day, newest first."""
    with connected(url, user, password) as connection:
        table = Table("day", "reader", "path", "version", "requests")
        for row in connection.rows(f"/releases/{name}/reads"):
            reader = row["user"] or (f"link {row['link']}" if row["link"] else "without an account")
            table.add_row(row["day"], reader, row["path"], str(row["version"]), str(row["count"]))
        _print(table, "No file of the release was read.")


def _dataset_of(connection: Connection, name: str, path: str) -> str:
    """Id of the dataset at a path of the manifest."""
    rows = connection.rows(f"/releases/{name}/files")
    ids = [str(row["dataset"]) for row in rows if row["path"] == path]
    return ids[0] if ids else refuse(f"{name} has no file {path}")


def _print(table: Table, otherwise: str) -> None:
    Console(markup=False).print(table if table.row_count else otherwise)

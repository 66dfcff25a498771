"""Where a release is read, with or without an account, and what became of it since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cingulum.cli._errors import fail
from cingulum.cli._server import server_errors
from cingulum.client import Connection, NoLogin
from cingulum.manifests import Manifest

if TYPE_CHECKING:
    from cingulum.client.release_downloads import ReleaseSource


def connect_for(source: ReleaseSource, token: str | None) -> Connection:
    """Signed in with what is meant for that server, else without an account."""
    from cingulum.client.credentials import connect_to_named

    if source.is_link:
        return Connection(source.server)
    try:
        return connect_to_named(source.server, token)
    except NoLogin:
        return Connection(source.server)


def list_notices(manifest: Manifest, url: str, token: str | None) -> bool:
    """Print what the server states of a release now: whether it was withdrawn or files were pulled."""
    from cingulum.client.notices import fetch_release_notices
    from cingulum.client.problems import ClientError
    from cingulum.client.release_downloads import ReleaseSource

    try:
        source = ReleaseSource.parse(manifest.name, url)
        with server_errors(), connect_for(source, token) as connection:
            notices = list(fetch_release_notices(connection, source, manifest))
    except ClientError as problem:
        fail(str(problem))
    for notice in notices:
        typer.echo(f"{typer.style('error', fg='red')}  {notice.path} ({notice.text})")
    return bool(notices)

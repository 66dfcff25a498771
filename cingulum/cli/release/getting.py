"""`cingulum release get`: a release in a folder, checked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from cingulum.cli._errors import fail
from cingulum.cli._progress import download_bar
from cingulum.cli._server import server_errors
from cingulum.cli.release.connections import connect_for
from cingulum.cli.release.manifests import check_signature, refusals
from cingulum.manifests import Manifest
from cingulum.manifests.folders import MANIFEST_NAME
from cingulum.sizes import format_size


def get(
    release: Annotated[
        str, typer.Argument(help="name of the release, or the address of a release or of a reviewer's link")
    ],
    out: Annotated[Path, typer.Option(file_okay=False, help="folder; it is made if missing")],
    key: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="file of the public key, to check the signature"),
    ] = None,
    public: Annotated[str | None, typer.Option(help="the public key itself, RW…")] = None,
    url: Annotated[
        str | None,
        typer.Option(help="server of a name; default: CINGULUM_URL, or that of setup-one or login.json"),
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="for a release under embargo; default: CINGULUM_TOKEN, or of setup-one")
    ] = None,
) -> None:
    """Download a release into a folder, checked file by file against its manifest. `One(FOLDER)` opens it.

    A public release needs no account, nor does a link. The zip is unpacked in FOLDER, which needs twice its size until
    then; an interrupted download continues when the command is executed again. Files that were pulled from the release
    are listed with the reason. Exit code 1 if a file or the signature is wrong.
    """
    manifest, n_pulled = _download(release, out, url, token)
    check_signature(out / MANIFEST_NAME, manifest.to_bytes(), key, public)
    n_files, size = len(manifest.entries) - n_pulled, format_size(manifest.size_bytes)
    typer.echo(
        f"{manifest.name}: {n_files} files, {size}, exactly those of the manifest, root {manifest.root}"
    )


def _download(release: str, out: Path, url: str | None, token: str | None) -> tuple[Manifest, int]:
    """The manifest of what is in the folder now, and how many of its files were pulled, which are listed."""
    # Imported here because they need numpy, which few commands do.
    from cingulum.client.notices import fetch_pulled
    from cingulum.client.problems import ClientError
    from cingulum.client.release_downloads import (
        ReleaseSource,
        download_release,
        fetch_manifest,
    )

    try:
        source = ReleaseSource.parse(release, url or _default_server())
        with server_errors(), connect_for(source, token) as connection:
            with refusals(f"the manifest of {release}"):
                manifest = fetch_manifest(connection, source)
            out.mkdir(parents=True, exist_ok=True)
            with download_bar(manifest.name, manifest.size_bytes) as step:
                pulled = download_release(connection, source, manifest, out, step)
            reasons = fetch_pulled(connection, source) if pulled and not source.is_link else {}
    except (ClientError, OSError) as problem:
        fail(str(problem))
    for entry in pulled:
        reason = reasons.get(entry.path, "no longer served")
        typer.echo(f"{typer.style('pulled', fg='yellow')}  {entry.path} ({reason})")
    return manifest, len(pulled)


def _default_server() -> str | None:
    from cingulum.client.credentials import default_server
    from cingulum.client.login import Login

    stored = Login.of_file()
    return os.environ.get("CINGULUM_URL") or default_server() or (stored.base_url if stored else None)

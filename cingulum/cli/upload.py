"""`cingulum upload`: sessions of a zip or a folder to the central store."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from cingulum.cli._errors import refuse
from cingulum.cli._server import Password, Url, User, server_errors
from cingulum.cli.scan import connected_unattended, progress
from cingulum.scan import ScanRefused, Server
from cingulum.sizes import format_size
from cingulum.upload import (
    BadArchive,
    FolderSource,
    Limits,
    Outcome,
    Summary,
    Uploader,
    UploadSource,
    ZipSource,
)
from cingulum.upload.archive import Archive

_SHOWN: Final = 20
_EXAMPLE: Final = """
Example:

\b
cingulum upload sessions.zip --dry-run                  # what would be uploaded, and what is wrong
cingulum upload sessions.zip --project maze
cingulum upload hilllab --token-file ~/.upload-token    # a folder; again: only what is missing

A token needs the scopes lab:LAB:read, lab:LAB:write, lab:LAB:register and lab:LAB:transfer.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EXAMPLE)(upload)


def upload(
    sessions: Annotated[
        Path,
        typer.Argument(exists=True, help="a zip or a folder, of <lab>/Subjects/<subject>/<date>/<number>/…"),
    ],
    project: Annotated[
        list[str] | None, typer.Option(help="project of the sessions that are created; repeat it for several")
    ] = None,
    lab: Annotated[str, typer.Option(help="lab of the sessions, instead of the one in their paths")] = "",
    create_subjects: Annotated[
        bool, typer.Option("--create-subjects", help="create the subjects that do not exist")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show what would be uploaded")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the report of every file as JSON")] = False,
    work: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="folder for the files of a zip, one session at a time",
            show_default="that for temporary files",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="file with a token, instead of a password"),
    ] = None,
    url: Url = None,
    user: User = None,
    password: Password = None,
) -> None:
    """Upload the sessions in a zip or a folder: all datasets that the server's central store does not have.

    Sessions that do not exist are created. Each file is read, registered with its hash, sent, and verified by the
    server. An interrupted upload continues when it is started again, and a repeated one sends nothing. A dataset that
    exists is never replaced. Of a zip, no name becomes a name on this disk, and links are not followed.

    Exit code 0: the server has everything; 1: some files were refused, each with what to do; 2: nothing could begin.
    """
    with (
        _source(sessions, work) as source,
        server_errors(),
        connected_unattended(url, user, password, token_file) as connection,
    ):
        uploader = Uploader(Server(connection), lab, project or [], create_subjects, dry_run)
        _upload(uploader, source, as_json=as_json)
    raise typer.Exit(0 if uploader.summary.is_whole else 1)


@contextmanager
def _source(sessions: Path, work: Path | None) -> Iterator[UploadSource]:
    if sessions.is_dir():
        yield FolderSource(sessions)
        return
    try:
        archive = Archive.open(sessions, Limits())
    except (BadArchive, OSError) as error:
        refuse(str(error))
    try:
        yield ZipSource(archive, work)
    finally:
        archive.close()


def _upload(uploader: Uploader, source: UploadSource, *, as_json: bool) -> None:
    """Upload with progress; what was done is reported, also if the server stops responding."""
    try:
        with progress(Console(highlight=False, stderr=as_json), is_bytes=True) as bars:
            reading, sending = bars.add_task("reading", total=None), bars.add_task("sending", total=None)
            uploader.on_total = lambda n: bars.update(reading, total=n)
            uploader.on_read = lambda n: bars.advance(reading, n)
            uploader.on_sent = lambda n: bars.advance(sending, n)
            uploader.run(source)
    except (ScanRefused, OSError) as error:
        refuse(str(error))
    finally:
        _report(uploader.summary, Console(highlight=False, soft_wrap=True), as_json=as_json)


def _report(summary: Summary, console: Console, *, as_json: bool) -> None:
    """Print what became of the files: all of them as JSON, else the counts and the first that were refused."""
    if as_json:
        json.dump(summary.to_json(), sys.stdout, indent=1)
        sys.stdout.write("\n")
        return
    refused = sorted(file for file in summary.files if file.outcome is Outcome.REFUSED)
    for file in refused[:_SHOWN]:
        n_files = f" ({file.n_files:,} files)" if file.n_files > 1 else ""
        console.print(f"{file.path}{n_files}\n    {file.advice}", markup=False)
    if len(refused) > _SHOWN:
        console.print(f"and {len(refused) - _SHOWN:,} more refused: --json lists them all")
    sent_bytes = sum(file.size_bytes for file in summary.files if file.outcome is Outcome.UPLOADED)
    counts = [f"{n:,} {outcome}" for outcome, n in summary.counts().items()]
    counts += [f"{summary.n_subjects:,} subjects created"] if summary.n_subjects else []
    counts += [f"{summary.n_sessions:,} sessions created"] if summary.n_sessions else []
    console.print(
        ", ".join(counts) or "no sessions: their folders are <lab>/Subjects/<subject>/<date>/<number>"
    )
    if sent_bytes:
        console.print(f"{format_size(sent_bytes)} uploaded")

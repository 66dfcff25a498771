"""Keys, signatures and checks of manifests, without a server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from cingulum.cli._errors import fail, refuse
from cingulum.cli.release.connections import list_notices
from cingulum.manifests import (
    FileState,
    FolderReport,
    InvalidManifest,
    Manifest,
    parse_manifest,
    verify_folder,
)
from cingulum.manifests.secret_keys import format_secret_key, parse_secret_key
from cingulum.manifests.signatures import (
    InvalidSignature,
    PublicKey,
    SecretKey,
    generate_key,
    parse_public_key,
    sign,
    signing_key_id,
    verify,
)
from cingulum.sizes import format_size

ManifestFile = Annotated[
    Path, typer.Argument(metavar="MANIFEST", exists=True, dir_okay=False, help="the file manifest.json")
]


def keygen(
    out: Annotated[
        Path, typer.Option(help="file of the secret key; the public one ends with .pub instead of .key")
    ] = Path("cingulum-release.key"),
    no_password: Annotated[
        bool, typer.Option("--no-password", help="for signing by a program: the file alone signs")
    ] = False,
) -> None:
    """Make a pair of keys in minisign's format. Publish the .pub; store the other apart from the data."""
    require_cryptography()
    public_file = _public_file(out)
    for file in (out, public_file):
        if file.exists():
            refuse(f"{file} exists: a key is never replaced; choose another --out")
    password = (
        None if no_password else str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    )
    key = generate_key()
    _write_new(public_file, key.public.to_text(), mode=0o644)
    try:
        _write_new(out, format_secret_key(key, password), mode=0o600)
    except OSError as error:
        public_file.unlink()
        fail(f"{out} cannot be written ({error.strerror or error})")
    typer.echo(f"Wrote {out} and {public_file}. With the public key, a release is checked by")
    typer.echo(f"    cingulum release verify manifest.json FOLDER --public {key.public.to_line()}")
    typer.echo(f"    minisign -Vm manifest.json -P {key.public.to_line()}")


def _public_file(secret_file: Path) -> Path:
    """The file of the public key; exits for a name that would be published.

    >>> _public_file(Path("lab.key")).name, _public_file(Path("release-2026.1")).name
    ('lab.pub', 'release-2026.1.pub')
    """
    if secret_file.suffix.lower() == ".pub":
        refuse(
            f"{secret_file} is a name for the public key, which is written beside it: choose another --out"
        )
    stem = secret_file.stem if secret_file.suffix == ".key" else secret_file.name
    return secret_file.with_name(f"{stem}.pub")


def sign_manifest(
    manifest: ManifestFile,
    key: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="file of the secret key")],
    comment: Annotated[str, typer.Option(help="a line that is signed too")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="even a signature by another key")] = False,
) -> None:
    """Write MANIFEST.minisig, after checking that MANIFEST is a manifest."""
    require_cryptography()
    with refusals(manifest):
        data = manifest.read_bytes()
        release = parse_manifest(data)
    with refusals(key):
        secret = read_secret_key(key)
        text = sign(data, secret, comment or trusted_comment(manifest.name))
    if not replace:
        _refuse_to_replace(_signature_of(manifest), secret.public)
    _signature_of(manifest).write_text(text, encoding="utf-8")
    typer.echo(
        f"Wrote {_signature_of(manifest)}: {release.name}, root {release.root}, key {secret.public.hex_id}"
    )


def _refuse_to_replace(file: Path, public: PublicKey) -> None:
    """Exit if there is a signature by another key, such as that of the laboratory that published the release."""
    if not file.exists():
        return
    with refusals(file):
        made_by = signing_key_id(_read_text(file))
    if made_by != public.key_id:
        refuse(f"{file} is by key {PublicKey(made_by, b'').hex_id}: --replace replaces it")


def _read_text(file: Path) -> str:
    """Raises InvalidSignature if it is no text."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidSignature("is no signature: it is not UTF-8 text") from None


def read_secret_key(file: Path) -> SecretKey:
    """A secret key; the password of an encrypted one is prompted for."""
    return parse_secret_key(
        file.read_text(encoding="utf-8"), lambda: str(typer.prompt("Password", hide_input=True))
    )


def trusted_comment(name: str) -> str:
    """The comment that minisign writes by default."""
    return f"timestamp:{int(time.time())}\tfile:{name}\thashed"


def verify_manifest(
    manifest: ManifestFile,
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="folder of the files")],
    key: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="file of the public key")
    ] = None,
    public: Annotated[str | None, typer.Option(help="the public key itself, RW…")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="fail if the folder has other files, too")] = False,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="also check there whether files were pulled or the release withdrawn"
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            help="for --server and a release under embargo; default: that of setup-one for this server"
        ),
    ] = None,
) -> None:
    """Compare a folder with a manifest, offline: each file's size and SHA-256, and the signature if a key is passed.

    With --server, files that were pulled since are listed with the reason, too. Exit code 1 if the signature or a file
    is wrong, or was pulled, 2 if the manifest is not one.
    """
    with refusals(manifest):
        data = manifest.read_bytes()
        release = parse_manifest(data)
    check_signature(manifest, data, key, public)
    report = verify_with_progress(release, folder)
    _show(report, release, is_strict=strict)
    is_pulled = _is_pulled(release, server, token)
    raise typer.Exit(0 if (report.is_exact if strict else report.is_complete) and not is_pulled else 1)


def _is_pulled(release: Manifest, server: str | None, token: str | None) -> bool:
    """Whether the server states that files were pulled, or the release withdrawn; without one that is not known."""
    if server is None:
        typer.secho("not checked: whether files were pulled since (pass --server URL)", fg="yellow", err=True)
        return False
    return list_notices(release, server, token)


def check_signature(manifest: Path, data: bytes, key: Path | None, public: str | None) -> None:
    """End the command unless the signature is right, or neither it nor a key is there to check."""
    file = _signature_of(manifest)
    if key is None and public is None:
        if file.exists():
            with refusals(file):
                made_by = PublicKey(signing_key_id(_read_text(file)), b"").hex_id
            typer.secho(f"not checked: signature by key {made_by} (pass --key or --public)", fg="yellow")
        return
    if key is not None and public is not None:
        refuse("pass either --key or --public")
    require_cryptography()
    if not file.exists():
        fail(f"there is no signature {file}")
    with refusals(key or "--public"):
        checked_by = parse_public_key(public or (key.read_text(encoding="utf-8") if key else ""))
    try:
        comment = verify(data, _read_text(file), checked_by)
    except InvalidSignature as problem:
        fail(f"{file} {problem}")
    typer.secho(f"signature by key {checked_by.hex_id} is right: {comment}", fg="green")


def verify_with_progress(release: Manifest, folder: Path) -> FolderReport:
    """Compare a folder with a manifest, with a bar of the bytes that were read."""
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=release.size_bytes)
        return verify_folder(release, folder, lambda size: progress.advance(task, size))


def _show(report: FolderReport, release: Manifest, *, is_strict: bool) -> None:
    for file in report.files:
        if file.state is FileState.OK or (file.state is FileState.EXTRA and not is_strict):
            continue
        reason = f" ({file.reason})" if file.reason else ""
        typer.echo(f"{typer.style(file.state, fg='red')}  {file.path}{reason}")
    counts = ", ".join(f"{report.counts[state]} {state}" for state in FileState if report.counts[state])
    typer.echo(
        f"{release.name}: {counts or 'no files'}; {format_size(release.size_bytes)}, root {release.root}"
    )


def _signature_of(manifest: Path) -> Path:
    return manifest.with_name(f"{manifest.name}.minisig")


def _write_new(path: Path, text: str, *, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)


def require_cryptography() -> None:
    if find_spec("cryptography") is None:
        refuse("signatures need one more package: pip install 'cingulum[sign]'")


@contextmanager
def refusals(file: Path | str) -> Iterator[None]:
    """Files that cannot be read or are malformed end the command with exit code 2."""
    try:
        yield
    except (InvalidManifest, InvalidSignature, OSError, UnicodeDecodeError) as problem:
        refuse(f"{file}: {problem}")

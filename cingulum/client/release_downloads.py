"""Download a release: its zip, continued where it broke, unpacked file by file, each checked against the manifest."""

from __future__ import annotations

import contextlib
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from cingulum.client.problems import ClientError
from cingulum.client.verified_downloads import OWN, discard_part, own_folder, sole_access
from cingulum.digests import Hasher
from cingulum.http import Connection
from cingulum.manifests import Manifest, ManifestEntry, parse_manifest
from cingulum.manifests.folders import DOCUMENTS, MANIFEST_NAME

_BLOCK_BYTES: Final = 4 << 20
_LARGEST_DOCUMENT_BYTES: Final = 1 << 30


class NotThatRelease(ClientError):
    """What the server sent, or what is in the folder, is not the release; the message says what to do."""


@dataclass(frozen=True)
class ReleaseSource:
    """Where a release is read: `path` below the server is that of the release, or of a link to it."""

    server: str
    path: str

    @property
    def is_link(self) -> bool:
        """Whether it is a reviewer's link, which needs no account."""
        return self.path.startswith("/release-links/")

    @classmethod
    def parse(cls, text: str, server: str | None = None) -> ReleaseSource:
        """A name on a server, or an address: of the release, of its zip, or of a link. Raises ClientError.

        >>> ReleaseSource.parse("paper-2026", "https://lab.example.org").path
        '/releases/paper-2026'
        >>> ReleaseSource.parse("https://lab.example.org/release-links/abc")
        ReleaseSource(server='https://lab.example.org', path='/release-links/abc')
        """
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"}:
            if server is None:
                raise ClientError(f"no server: pass --url, or the whole address of {text}")
            return cls(server.rstrip("/"), f"/releases/{text}")
        kind = "/release-links/" if "/release-links/" in parts.path else "/releases/"
        root, separator, rest = parts.path.partition(kind)
        name = rest.split("/")[0]
        if not separator or not name:
            raise ClientError(
                f"{text} is no address of a release: it has no /releases/NAME or /release-links/TOKEN"
            )
        return cls(f"{parts.scheme}://{parts.netloc}{root}", f"{kind}{unquote(name)}")


def fetch_manifest(connection: Connection, source: ReleaseSource) -> Manifest:
    """The manifest, without checking its signature. Raises InvalidManifest, Refused, Unreachable."""
    return parse_manifest(connection.request("GET", f"{source.path}/manifest").content)


def download_release(
    connection: Connection,
    source: ReleaseSource,
    manifest: Manifest,
    folder: Path,
    progress: Callable[[int], None] | None = None,
) -> list[ManifestEntry]:
    """Bring all files of a release into a folder, with the documents beside them; those that were pulled meanwhile.

    The zip is downloaded below `folder`, which needs its size a second time until it is unpacked; a download that was
    interrupted continues. A file has its name once its bytes are those of the manifest. `progress` receives bytes.
    Raises NotThatRelease, OSError, Refused, Unreachable.
    """
    _check_folder(folder, manifest)
    with sole_access(folder, MANIFEST_NAME):
        part = own_folder(folder, "parts") / f"{manifest.root}.zip"
        _check_space(folder, manifest, part)
        connection.download(f"{source.path}/{manifest.name}.zip", part, progress=progress, resume=True)
        try:
            present = set(_unpack(part, manifest, folder))
        except zipfile.BadZipFile as problem:
            discard_part(part)
            raise NotThatRelease(f"the server sent a damaged zip ({problem}): try again") from None
        discard_part(part)
    _remove_own(folder)
    return [entry for entry in manifest.entries if entry.path not in present]


def _check_folder(folder: Path, manifest: Manifest) -> None:
    file = folder / MANIFEST_NAME
    if file.exists() and file.read_bytes() != manifest.to_bytes():
        raise NotThatRelease(f"{folder} has another release or another state of it: choose another folder")


def _check_space(folder: Path, manifest: Manifest, part: Path) -> None:
    present = part.stat().st_size if part.exists() else 0
    needed = 2 * manifest.size_bytes - present
    if (free := shutil.disk_usage(folder).free) < needed:
        raise NotThatRelease(
            f"{folder} has {free:,} bytes free, and {needed:,} are needed until the zip is unpacked"
        )


def _unpack(part: Path, manifest: Manifest, folder: Path) -> Iterator[str]:
    """Unpack what the manifest lists, checked, then the documents; the paths of the files."""
    entries = {entry.path: entry for entry in manifest.entries}
    with zipfile.ZipFile(part) as zipped:
        for info in zipped.infolist():
            if info.filename in entries:
                _unpack_file(zipped, info, entries[info.filename], folder)
                yield info.filename
        if zipped.read(MANIFEST_NAME) != manifest.to_bytes():
            raise NotThatRelease("the zip has another manifest than the server sent before: try again")
        for info in zipped.infolist():
            if info.filename in DOCUMENTS and info.file_size <= _LARGEST_DOCUMENT_BYTES:
                _write(folder / info.filename, zipped.read(info), folder)


def _unpack_file(zipped: zipfile.ZipFile, info: zipfile.ZipInfo, entry: ManifestEntry, folder: Path) -> None:
    temporary, hasher = own_folder(folder, "parts") / "unpacked", Hasher(md5=False)
    with zipped.open(info) as source, temporary.open("wb") as target:
        while block := source.read(_BLOCK_BYTES):
            hasher.update(block)
            target.write(block)
    digests = hasher.digests()
    if (digests.size_bytes, digests.sha256) != (entry.size, entry.sha256):
        temporary.unlink()
        raise NotThatRelease(
            f"the server sent other bytes of {entry.path} than its manifest lists: report it"
        )
    (folder / entry.path).parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(folder / entry.path)


def _write(path: Path, data: bytes, folder: Path) -> None:
    temporary = own_folder(folder, "parts") / "unpacked"
    temporary.write_bytes(data)
    temporary.replace(path)


def _remove_own(folder: Path) -> None:
    """Leave what the zip has and nothing else, unless another download uses the folder."""
    own = folder / OWN
    for path in (*own.glob("locks/*"), own / "locks", own / "parts", own):
        with contextlib.suppress(OSError):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()

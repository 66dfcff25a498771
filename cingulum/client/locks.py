"""A lock: the exact files that an analysis read, and the server that has them.

JSON in canonical form: `format`, `server` (null for a folder), and `manifest`, as `cingulum.manifests` describes it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple

from cingulum.alf.paths import parse_path
from cingulum.alf.problems import InvalidName
from cingulum.alf.server_names import add_uuid
from cingulum.client.problems import ClientError
from cingulum.client.readings import Readings
from cingulum.client.verified_downloads import OtherBytes, download_verified, sole_access
from cingulum.digests import hash_file
from cingulum.http import Connection, Refused, data_path
from cingulum.manifests import (
    InvalidManifest,
    Manifest,
    ManifestEntry,
    build_manifest,
    canonical_json,
    parse_manifest,
)

FORMAT: Final = "cingulum-lock-1"
# Without a user, and with a host that is no `..`: it is also the name of a folder.
_ADDRESS: Final = re.compile(r"https?://(?!\.)(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?(?:/[\w.~-]+)*/?")


@dataclass(frozen=True)
class Lock:
    """What was read, from which server; `server` is None for a folder."""

    server: str | None
    manifest: Manifest

    def to_bytes(self) -> bytes:
        """The file."""
        manifest = json.loads(self.manifest.to_bytes())
        return canonical_json({"format": FORMAT, "server": self.server, "manifest": manifest})


class FetchState(StrEnum):
    """What became of one file of a lock."""

    PRESENT = "present"
    FETCHED = "fetched"
    CHANGED = "changed on the server"
    GONE = "not on the server"
    DIFFERS = "differs here"


class Fetched(NamedTuple):
    """One file of a lock, and its state."""

    path: str
    state: FetchState

    @property
    def is_complete(self) -> bool:
        """Whether the exact bytes are here."""
        return self.state in {FetchState.PRESENT, FetchState.FETCHED}


def make_lock(name: str, server: str | None, readings: Readings, now: datetime) -> Lock:
    """Hash all that was read. Raises ClientError if nothing was, DamagedFile if a file changed since."""
    entries = [reading.entry() for reading in readings]
    if not entries:
        raise ClientError("nothing was read yet: load data first, then lock")
    return Lock(server, build_manifest(name, now, entries))


def parse_lock(data: bytes) -> Lock:
    """Read a lock and check it. Raises ClientError."""
    try:
        document = json.loads(data)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ClientError(f"it is no lock of the format {FORMAT!r}")
        server = document["server"]
        manifest = parse_manifest(canonical_json(document["manifest"]))
        for entry in manifest.entries:
            parse_path(entry.path)  # so that no other file of the folder, such as sessions.pqt, is replaced
    except (ValueError, KeyError, InvalidManifest, InvalidName) as problem:
        raise ClientError(f"the lock cannot be read: {problem}") from problem
    if server is not None and not (isinstance(server, str) and _ADDRESS.fullmatch(server)):
        raise ClientError(f"the lock names {server!r}, which is no address of a server")
    return Lock(server, manifest)


def fetch_lock(
    lock: Lock,
    connection: Connection,
    folder: Path,
    progress: Callable[[int], None] | None = None,
    *,
    overwrite: bool = False,
) -> Iterator[Fetched]:
    """Bring the exact bytes of each file into a folder; other bytes are reported, and never put in place.

    A server sends the newest version of a file: one that was registered again since the lock is CHANGED. A file that
    is here with other bytes is DIFFERS, and stays unless `overwrite`. `progress` receives the bytes of each file,
    whether it was read here or downloaded. Raises Refused, Unreachable; what was done by then stays done.
    """
    report = progress or (lambda _: None)
    for entry in lock.manifest.entries:
        with sole_access(folder, entry.path):
            state = _state_here(folder / entry.path, entry)
            if state is None or (overwrite and state is FetchState.DIFFERS):
                state = _download(connection, folder, entry, report)
            else:
                report(entry.size)
            yield Fetched(entry.path, state)


def _state_here(path: Path, entry: ManifestEntry) -> FetchState | None:
    if not os.path.lexists(path):
        return None
    return FetchState.PRESENT if path.is_file() and _is_exact(path, entry) else FetchState.DIFFERS


def _download(
    connection: Connection, folder: Path, entry: ManifestEntry, progress: Callable[[int], None]
) -> FetchState:
    address = data_path(add_uuid(entry.path, entry.dataset) if entry.dataset else entry.path)
    try:
        download_verified(
            connection,
            address,
            folder,
            entry.path,
            entry.size,
            lambda digests: digests.sha256 == entry.sha256,
            progress,
        )
    except OtherBytes:
        return FetchState.CHANGED
    except Refused as refusal:
        if refusal.status != HTTPStatus.NOT_FOUND:
            raise
        return FetchState.GONE
    return FetchState.FETCHED


def _is_exact(path: Path, entry: ManifestEntry) -> bool:
    return path.stat().st_size == entry.size and hash_file(path).sha256 == entry.sha256

"""Files of a server are put in place only whole and checked, by one process at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock

from cingulum.digests import Digests, hash_file
from cingulum.http import Connection, OtherSize, etag_file

OWN: Final = ".cingulum"  # locks, interrupted downloads, tables: nothing that the ONE client reads


class OtherBytes(Exception):
    """The server sent other bytes than expected; nothing was put in place."""


def own_folder(root: Path, name: str) -> Path:
    """A folder below `root` that only this client uses, made if missing."""
    folder = root / OWN / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def sole_access(root: Path, path: str) -> Iterator[None]:
    """Wait until no other process downloads the file at `path` below `root`."""
    with FileLock(own_folder(root, "locks") / f"{_key(path)}.lock"):
        yield


def download_verified(
    connection: Connection,
    address: str,
    root: Path,
    path: str,
    size_bytes: int | None,
    is_expected: Callable[[Digests], bool],
    progress: Callable[[int], None] | None = None,
) -> Digests:
    """Download to `path` below `root`, and replace what is there once the file on disk has the expected bytes.

    An interrupted download is continued, also by another process. Call it with `sole_access`.
    Raises OtherBytes, Refused, Unreachable.
    """
    part = own_folder(root, "parts") / _key(path)
    try:
        connection.download(address, part, progress=progress, resume=True, size_bytes=size_bytes)
    except OtherSize as problem:
        discard_part(part)
        raise OtherBytes(str(problem)) from problem
    digests = hash_file(part)
    if not is_expected(digests):
        discard_part(part)
        raise OtherBytes("the server sent other bytes than expected")
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    part.replace(target)
    etag_file(part).unlink(missing_ok=True)
    return digests


def discard_part(part: Path) -> None:
    """Delete what has arrived of a download: the next one begins at its start."""
    part.unlink(missing_ok=True)
    etag_file(part).unlink(missing_ok=True)


def _key(path: str) -> str:
    return hashlib.sha256(path.encode()).hexdigest()[:32]

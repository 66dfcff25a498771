"""Atomic writing of files, with one writer at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from cingulum.codec.errors import TargetBusy


def part_path(target: Path) -> Path:
    """The temporary name beside a target, on the same file system so that a rename is atomic.

    >>> part_path(Path("a/probe.ap.cbin")).as_posix()
    'a/.probe.ap.cbin.part'
    """
    return target.with_name(f".{target.name}.part")


@contextmanager
def sole_writer(target: Path) -> Iterator[None]:
    """Hold the lock for writing `target`; TargetBusy while another process holds it.

    The kernel releases the lock when the process ends, so a killed writer never blocks the next one.
    """
    path = target.with_name(f".{target.name}.lock")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise TargetBusy(f"{target.name} is being written by another process") from error
    try:
        yield
    finally:
        # Before the release: afterwards, it could be the next writer's. Windows does not remove open files.
        with suppress(PermissionError):
            path.unlink(missing_ok=True)
        lock.release()


def publish(part: Path, target: Path) -> None:
    """Rename a finished temporary file to its final name, durably: sync the file, rename, sync the folder."""
    _sync_file(part)
    part.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that its names survive a power cut.

    Windows cannot open a folder, and so cannot sync one: there the journal of NTFS keeps names consistent, but the
    last rename may be lost.
    """
    if hasattr(os, "O_DIRECTORY"):
        _sync(folder, os.O_RDONLY)


def _sync_file(file: Path) -> None:
    # Windows syncs only what is open for writing; elsewhere a file that we may only read can be synced as well.
    _sync(file, os.O_RDONLY if hasattr(os, "O_DIRECTORY") else os.O_RDWR)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_named(*files: Path) -> None:
    """Sync files and their names, so that they survive a power cut, whichever process wrote them."""
    for file in files:
        _sync_file(file)
    for folder in {file.parent for file in files}:
        sync_folder(folder)


def write_whole(target: Path, content: bytes) -> None:
    """Write a small file atomically and durably."""
    part = part_path(target)
    part.write_bytes(content)
    publish(part, target)

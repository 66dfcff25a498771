"""Files that appear whole or not at all, and have one writer at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cingulum.codec.errors import TargetBusy


def part_path(target: Path) -> Path:
    """The temporary name beside a target, on the same file system so that a rename is atomic.

    >>> part_path(Path("a/probe.ap.cbin")).as_posix()
    'a/.probe.ap.cbin.part'
    """
    return target.with_name(f".{target.name}.part")


@contextmanager
def sole_writer(target: Path) -> Iterator[None]:
    """Hold the right to write `target`; TargetBusy while another process holds it.

    The kernel drops the lock with the process, so a killed writer never blocks the next one.
    """
    lock = target.with_name(f".{target.name}.lock")
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TargetBusy(f"{target.name} is being written by another process") from error
        # The holder before us may have removed the name between our open and our lock.
        if not lock.exists() or lock.stat().st_ino != os.fstat(file.fileno()).st_ino:
            raise TargetBusy(f"{target.name} was finished by another process at this moment")
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def publish(part: Path, target: Path) -> None:
    """Give a finished temporary file its name, durably: file, rename, folder."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.rename(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_named(*files: Path) -> None:
    """Make files and their names survive a power cut, whoever wrote them."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for folder in {file.parent for file in files}:
        sync_folder(folder)


def write_whole(target: Path, content: bytes) -> None:
    """Write a small file atomically and durably."""
    part = part_path(target)
    part.write_bytes(content)
    publish(part, target)

"""Many small files at once: all written, one sync, all named, one sync.

One after the other, each file would wait for the disk three times. Where the kernel has no syncfs (not Linux), each
file and each folder is fsynced by itself.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

from cingulum.digests import Digests, hash_bytes
from libs.common.storage.disk import Draft, fsync_folder, make_folders

_LIBC = ctypes.CDLL(None, use_errno=True)


def write_drafts(folder: Path, data: Sequence[bytes]) -> list[tuple[Path, Digests]]:
    """Write each under a temporary name, without waiting for the disk."""
    written = []
    for each in data:
        draft = Draft(folder)
        draft.write(each)
        written.append((draft.leave(), hash_bytes(each)))
    return written


def sync_files(folder: Path, paths: Sequence[Path]) -> None:
    """Wait until the disk has these files, which are in the file system of the folder."""
    if not _sync_file_system(folder):
        for path in paths:
            _fsync(path)


def link_all(folder: Path, pairs: Sequence[tuple[Path, Path]]) -> list[int]:
    """Give each file (draft, final) its final name; indices of those whose name was taken already."""
    taken = []
    for i, (draft, final) in enumerate(pairs):
        make_folders(final.parent)
        try:
            os.link(draft, final)
        except FileExistsError:
            taken.append(i)
    if not _sync_file_system(folder):
        for parent in sorted({final.parent for _, final in pairs}):
            fsync_folder(parent)
    return taken


def _sync_file_system(folder: Path) -> bool:
    """One wait for all that was written to a file system; whether the kernel can. Raises OSError if the disk fails."""
    if not hasattr(_LIBC, "syncfs"):
        return False
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _LIBC.syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(descriptor)
    return True


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

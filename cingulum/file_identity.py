"""Detects that a file was modified while it was read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self


class FileChanged(Exception):
    """The file was modified while it was read: the bytes read are not those of any version of it."""


@dataclass(frozen=True)
class FileIdentity:
    """What changes when a file is written to: as long as it is equal, so are the bytes."""

    size_bytes: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """From the result of a `stat` call."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)

    @classmethod
    def at(cls, path: Path) -> Self:
        """Of the file at a path. Raises OSError."""
        return cls.of(path.stat())

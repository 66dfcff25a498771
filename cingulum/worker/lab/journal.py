"""What the agent has done, on the lab's disk: a restart goes on where it stopped. Losing it costs time, not truth."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cingulum.worker.lab.reading import Digests, Identity

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS uploads (
    copy_id TEXT PRIMARY KEY, upload_id TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS digests (
    path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    md5 TEXT NOT NULL, sha256 TEXT NOT NULL, read_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS done (
    copy_id TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    at REAL NOT NULL);
"""


@dataclass(frozen=True)
class Done:
    """A copy that was sent or proved: with which file, and when (seconds since 1970)."""

    identity: Identity
    at: float


class Journal:
    """A small SQLite file; one agent at a time. `clock` gives seconds since 1970."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._base = sqlite3.connect(file, isolation_level=None)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def upload_of(self, copy_id: str, identity: Identity) -> str | None:
        """The upload that was begun for a copy, if the file is still the same."""
        row = self._base.execute(
            "SELECT upload_id, size_bytes, mtime_ns, inode FROM uploads WHERE copy_id = ?", (copy_id,)
        ).fetchone()
        return str(row[0]) if row and Identity(*row[1:]) == identity else None

    def began(self, copy_id: str, upload_id: str, identity: Identity) -> None:
        """An upload was announced for a copy."""
        self._base.execute(
            "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?)",
            (copy_id, upload_id, identity.size_bytes, identity.mtime_ns, identity.inode),
        )

    def forget_upload(self, copy_id: str) -> None:
        """The upload has ended, one way or the other."""
        self._base.execute("DELETE FROM uploads WHERE copy_id = ?", (copy_id,))

    def digests_of(self, path: str, identity: Identity, younger_than_s: float) -> Digests | None:
        """What was read of a file lately, if it is still the same."""
        row = self._base.execute(
            "SELECT size_bytes, mtime_ns, inode, md5, sha256, read_at FROM digests WHERE path = ?", (path,)
        ).fetchone()
        if row is None or Identity(*row[:3]) != identity or self._clock() - row[5] > younger_than_s:
            return None
        return Digests(row[0], row[3], row[4])

    def was_read(self, path: str, identity: Identity, found: Digests) -> None:
        """Every byte of a file was read."""
        about = (identity.size_bytes, identity.mtime_ns, identity.inode)
        self._base.execute(
            "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?, ?)",
            (path, *about, found.md5, found.sha256, self._clock()),
        )

    def done_of(self, copy_id: str) -> Done | None:
        """When a copy was last sent or proved."""
        row = self._base.execute(
            "SELECT size_bytes, mtime_ns, inode, at FROM done WHERE copy_id = ?", (copy_id,)
        ).fetchone()
        return Done(Identity(*row[:3]), row[3]) if row else None

    def is_done(self, copy_id: str, identity: Identity) -> None:
        """A copy was sent or proved."""
        about = (identity.size_bytes, identity.mtime_ns, identity.inode)
        self._base.execute(
            "INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?)", (copy_id, *about, self._clock())
        )

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

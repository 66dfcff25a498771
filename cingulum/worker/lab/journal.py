"""The agent's state on the lab's disk, so that it resumes after a restart. Losing it costs time, not correctness."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from cingulum.digests import Digests
from cingulum.file_identity import FileIdentity

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
    """A copy that was sent or verified: the file's identity then, and the time (seconds since 1970)."""

    identity: FileIdentity
    at: float


class Journal:
    """A small SQLite file; one agent at a time. `clock` gives seconds since 1970."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def upload_of(self, copy_id: str, identity: FileIdentity) -> str | None:
        """The upload that was announced for a copy, if the file has not changed since."""
        row = self._database.execute(
            "SELECT upload_id, size_bytes, mtime_ns, inode FROM uploads WHERE copy_id = ?", (copy_id,)
        ).fetchone()
        return str(row[0]) if row and FileIdentity(*row[1:]) == identity else None

    def add_upload(self, copy_id: str, upload_id: str, identity: FileIdentity) -> None:
        """Store the id of the upload that was announced for a copy."""
        self._database.execute(
            "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?)",
            (copy_id, upload_id, *astuple(identity)),
        )

    def delete_upload(self, copy_id: str) -> None:
        """Delete the upload of a copy: it is complete, or cannot be resumed."""
        self._database.execute("DELETE FROM uploads WHERE copy_id = ?", (copy_id,))

    def digests_of(self, path: str, identity: FileIdentity, younger_than_s: float) -> Digests | None:
        """The digests of a recent read of a file, if it has not changed since."""
        row = self._database.execute(
            "SELECT size_bytes, mtime_ns, inode, md5, sha256, read_at FROM digests WHERE path = ?", (path,)
        ).fetchone()
        if row is None or FileIdentity(*row[:3]) != identity or self._clock() - row[5] > younger_than_s:
            return None
        return Digests(size_bytes=row[0], md5=row[3], sha256=row[4])

    def add_digests(self, path: str, identity: FileIdentity, digests: Digests) -> None:
        """Store the digests of a file that was just read in full."""
        self._database.execute(
            "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?, ?)",
            (path, *astuple(identity), digests.md5, digests.sha256, self._clock()),
        )

    def done_of(self, copy_id: str) -> Done | None:
        """When a copy was last sent or verified."""
        row = self._database.execute(
            "SELECT size_bytes, mtime_ns, inode, at FROM done WHERE copy_id = ?", (copy_id,)
        ).fetchone()
        return Done(FileIdentity(*row[:3]), row[3]) if row else None

    def mark_done(self, copy_id: str, identity: FileIdentity) -> None:
        """Store that a copy was just sent or verified."""
        self._database.execute(
            "INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?)",
            (copy_id, *astuple(identity), self._clock()),
        )

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

"""What this Python session read: the files, to be written into a lock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cingulum.client.problems import DamagedFile
from cingulum.digests import hash_file
from cingulum.file_identity import FileIdentity
from cingulum.manifests import ManifestEntry


@dataclass(frozen=True)
class Reading:
    """A file at the time when it was read; without `file`, the server read it, and named its hash."""

    path: str
    dataset: UUID | None
    size_bytes: int
    sha256: str = ""
    file: Path | None = None
    identity: FileIdentity | None = None

    def entry(self) -> ManifestEntry:
        """For a manifest. Raises DamagedFile if the file changed since it was read."""
        sha256, size = self.sha256, self.size_bytes
        if self.file is not None:
            if not self.file.exists() or FileIdentity.at(self.file) != self.identity:
                raise DamagedFile(f"{self.file} changed since it was read: read it again, then lock")
            digests = hash_file(self.file)
            sha256, size = digests.sha256, digests.size_bytes
        return ManifestEntry(path=self.path, dataset=self.dataset, size=size, sha256=sha256)


class Readings:
    """Files by path; the last reading of each counts. Threads may share it."""

    def __init__(self) -> None:
        self._by_path: dict[str, Reading] = {}
        self._lock = threading.Lock()

    def add_file(self, path: str, dataset: UUID | None, file: Path) -> None:
        """A file that was read here; it is hashed when it is locked."""
        identity = FileIdentity.at(file)
        self._add(Reading(path, dataset, file.stat().st_size, file=file, identity=identity))

    def add_remote(self, path: str, dataset: UUID, size_bytes: int, sha256: str) -> None:
        """A file of which the server sent a part."""
        self._add(Reading(path, dataset, size_bytes, sha256))

    def __iter__(self) -> Iterator[Reading]:
        with self._lock:
            return iter([self._by_path[path] for path in sorted(self._by_path)])

    def _add(self, reading: Reading) -> None:
        with self._lock:
            self._by_path[reading.path] = reading

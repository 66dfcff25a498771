"""Files of a server in a folder that the ONE client uses too: each is downloaded once, checked, then renamed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import UUID

from filelock import FileLock

from cingulum.alf.paths import SessionPath
from cingulum.alf.server_names import add_uuid
from cingulum.client.catalogue import DatasetRow
from cingulum.client.problems import DamagedFile
from cingulum.digests import hash_file
from cingulum.file_identity import FileIdentity
from cingulum.http import Connection, data_path

OWN: Final = ".cingulum"  # locks, interrupted downloads, tables: nothing that the ONE client reads


class FileCache:
    """Downloads of one server; any number of processes may share the folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._own = root / OWN
        self._checked: dict[Path, tuple[FileIdentity, str]] = {}

    def own_folder(self, name: str) -> Path:
        """A folder that only this client uses, made if missing."""
        folder = self._own / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def place(self, session: SessionPath, dataset: DatasetRow) -> Path:
        """Where a file lies, once downloaded."""
        return self.root / str(session) / dataset.rel_path

    def has(self, session: SessionPath, dataset: DatasetRow) -> bool:
        """Whether the registered bytes are here. A file is hashed once, and again after it was changed."""
        path = self.place(session, dataset)
        if not path.is_file() or path.stat().st_size != dataset.size_bytes:
            return False
        identity = FileIdentity.at(path)
        known = self._checked.get(path)
        if known is None or known[0] != identity:
            known = self._checked[path] = (identity, hash_file(path).md5)
        return not dataset.md5 or known[1] == dataset.md5

    def fetch(
        self,
        connection: Connection,
        session: SessionPath,
        dataset: DatasetRow,
        progress: Callable[[int], None],
    ) -> Path:
        """Download a file unless it is here. Raises DamagedFile for other bytes than the registered ones."""
        path = self.place(session, dataset)
        lock = hashlib.sha256(f"{session}/{dataset.rel_path}".encode()).hexdigest()[:32]
        with FileLock(self.own_folder("locks") / f"{lock}.lock"):
            if self.has(session, dataset):
                return path
            part = self.own_folder("parts") / dataset.id
            address = data_path(f"{session}/{add_uuid(dataset.rel_path, UUID(dataset.id))}")
            connection.download(address, part, progress=progress, resume=True)
            digests = hash_file(part)
            if digests.size_bytes != dataset.size_bytes or (dataset.md5 and digests.md5 != dataset.md5):
                part.unlink()
                raise DamagedFile(
                    f"{session}/{dataset.rel_path}: the server sent other bytes than it has registered "
                    "(it may have changed just now): call refresh() and load it again"
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            part.replace(path)
            self._checked[path] = (FileIdentity.at(path), digests.md5)
        return path

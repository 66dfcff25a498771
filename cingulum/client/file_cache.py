"""Files of a server in a folder that the ONE client uses too: each is downloaded once, checked, then renamed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from cingulum.alf.paths import SessionPath
from cingulum.alf.server_names import add_uuid
from cingulum.client.catalogue import DatasetRow
from cingulum.client.problems import DamagedFile
from cingulum.client.verified_downloads import OtherBytes, download_verified, own_folder, sole_access
from cingulum.digests import hash_file
from cingulum.file_identity import FileIdentity
from cingulum.http import Connection, data_path


class FileCache:
    """Downloads of one server; any number of processes may share the folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._checked: dict[Path, tuple[FileIdentity, str]] = {}

    def own_folder(self, name: str) -> Path:
        """A folder that only this client uses, made if missing."""
        return own_folder(self.root, name)

    def place(self, session: SessionPath, dataset: DatasetRow) -> Path:
        """Where a file lies, once downloaded. Raises DamagedFile for a name that leads out of the folder."""
        path = self.root / str(session) / dataset.rel_path
        if not Path(os.path.normpath(path)).is_relative_to(self.root):
            raise DamagedFile(
                f"{session}/{dataset.rel_path!r} leads out of {self.root}: the tables are wrong"
            )
        return path

    def has(self, session: SessionPath, dataset: DatasetRow) -> bool:
        """Whether the registered bytes are here. A file is hashed once, and again after it was changed."""
        path = self.place(session, dataset)
        if not path.is_file() or dataset.size_bytes not in {None, path.stat().st_size}:
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
        path, name = self.place(session, dataset), f"{session}/{dataset.rel_path}"
        with sole_access(self.root, name):
            if self.has(session, dataset):
                return path
            address = data_path(f"{session}/{add_uuid(dataset.rel_path, UUID(dataset.id))}")
            try:
                digests = download_verified(
                    connection,
                    address,
                    self.root,
                    name,
                    dataset.size_bytes,
                    lambda digests: (
                        dataset.size_bytes in {None, digests.size_bytes}
                        and (not dataset.md5 or digests.md5 == dataset.md5)
                    ),
                    progress,
                )
            except OtherBytes as problem:
                raise DamagedFile(
                    f"{name}: the server sent other bytes than it has registered "
                    "(it may have changed just now): call refresh() and load it again"
                ) from problem
            self._checked[path] = (FileIdentity.at(path), digests.md5)
        return path

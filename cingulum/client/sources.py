"""Where sessions come from: a folder here, a server in `cingulum.client.server`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from cingulum.alf.contents import read_file
from cingulum.alf.paths import parse_rel_path
from cingulum.client.catalogue import (
    DATASETS,
    SESSIONS,
    Catalogue,
    DatasetRow,
    SessionRow,
    read_tables,
    walk_folder,
)
from cingulum.client.filters import dataset_matcher
from cingulum.client.problems import ClientError, DamagedFile, InvalidFilter, NoSuchData

_REGIONS = ("channels.brainLocationAcronyms*", "clusters.brainLocationAcronyms*", "clusters.acronym")


class Source(Protocol):
    """What sessions and searches need."""

    def catalogue(self) -> Catalogue:
        """All sessions and datasets that the caller may see."""
        ...

    def refreshed(self) -> Catalogue:
        """The catalogue as it is now."""
        ...

    def datasets(self, session: SessionRow) -> Sequence[DatasetRow]:
        """Every dataset of a session, in every revision."""
        ...

    def fetch(self, session: SessionRow, datasets: Sequence[DatasetRow]) -> list[Path]:
        """The files of datasets, in their order, with the registered bytes."""
        ...

    def sessions_of(self, filter_name: str, value: str) -> set[str]:
        """Ids of the sessions of a `region` or a `tag`."""
        ...

    def close(self) -> None:
        """End connections."""
        ...


class FolderSource:
    """A ONE tree on a disk, with or without tables: an unpacked export, a cache, a lab's server."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise ClientError(f"{root} is not a folder: pass the folder that holds the labs or the subjects")
        self.root = root.resolve()
        self._catalogue = self._read()

    def catalogue(self) -> Catalogue:
        """As read when the folder was opened."""
        return self._catalogue

    def refreshed(self) -> Catalogue:
        """Read the folder again."""
        self._catalogue = self._read()
        return self._catalogue

    def datasets(self, session: SessionRow) -> list[DatasetRow]:
        """Those of the tables, else all files."""
        return self._catalogue.datasets_of(session.id)

    def fetch(self, session: SessionRow, datasets: Sequence[DatasetRow]) -> list[Path]:
        """Nothing is copied. Raises NoSuchData for a file that is only in the tables, DamagedFile for another size."""
        return [self._checked(session, dataset) for dataset in datasets]

    def sessions_of(self, filter_name: str, value: str) -> set[str]:
        """Sessions whose channels or clusters are in exactly this region; a folder has no tags."""
        if filter_name != "region":
            raise InvalidFilter(f"a folder has no {filter_name}s: search on a server (cingulum.connect)")
        return {session.id for session in self._catalogue.sessions if value in self._regions(session)}

    def close(self) -> None:
        """Nothing is open."""

    def _read(self) -> Catalogue:
        tables = (self.root / SESSIONS, self.root / DATASETS)
        if all(table.is_file() for table in tables):
            return read_tables(*(table.read_bytes() for table in tables))
        return walk_folder(self.root)

    def _checked(self, session: SessionRow, dataset: DatasetRow) -> Path:
        path = self.root / str(session.path) / dataset.rel_path
        if not path.is_file():
            raise NoSuchData(
                f"{path} is in the tables, but not in the folder: copy it there, or use a server"
            )
        if dataset.size_bytes and path.stat().st_size != dataset.size_bytes:
            raise DamagedFile(
                f"{path} has {path.stat().st_size} bytes, its table says {dataset.size_bytes}: copy it again"
            )
        return path

    def _regions(self, session: SessionRow) -> set[str]:
        fits = [dataset_matcher(name) for name in _REGIONS]
        regions: set[str] = set()
        for dataset in self.datasets(session):
            if any(fit(dataset.rel_path) for fit in fits) and parse_rel_path(dataset.rel_path):
                names = read_file(self._checked(session, dataset), allow_pickle=False)
                regions |= set(map(str, np.unique(np.asarray(names).astype(str))))
        return regions

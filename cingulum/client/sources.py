"""Where sessions come from: a folder here, a server in `cingulum.client.server`."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np

from cingulum.alf.contents import read_file
from cingulum.alf.loading import LoadFile, LoadReason, explain_loading
from cingulum.alf.paths import RelPath, parse_rel_path
from cingulum.alf.problems import AlfError, InvalidName
from cingulum.client.catalogue import (
    DATASETS,
    SESSIONS,
    Catalogue,
    DatasetRow,
    SessionRow,
    read_tables,
    walk_folder,
)
from cingulum.client.datasets import Request
from cingulum.client.filters import dataset_matcher, qc_name
from cingulum.client.problems import ClientError, DamagedFile, InvalidFilter, NoSuchData
from cingulum.codec.companions import find_companion, read_meta
from cingulum.codec.microvolts import uv_per_bit
from cingulum.codec.recording import Recording
from cingulum.qc import QC_NAMES

QC_CODES: Final = {name: code for code, name in QC_NAMES.items()}
_REGIONS: Final = [
    dataset_matcher(name)
    for name in ("channels.brainLocationAcronyms*", "clusters.brainLocationAcronyms*", "clusters.acronym")
]
_log = logging.getLogger(__name__)


class OpenedRecording(NamedTuple):
    """A recording, microvolts per bit of its channels (None: unknown), and what the server names its file's bytes."""

    recording: Recording
    uv_per_bit: Sequence[float | None] | None
    size_bytes: int = 0
    sha256: str = ""


class Source(Protocol):
    """What sessions and searches need; `server` is the address of one, None for a folder."""

    @property
    def server(self) -> str | None: ...

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
        """Ids of the sessions of a `region`, a `tag` or a `text`."""
        ...

    def open_recording(self, session: SessionRow, dataset: DatasetRow) -> OpenedRecording:
        """A recording of which parts are read."""
        ...

    def why_not(self, session: SessionRow, request: Request, qc: str | None) -> Sequence[LoadReason]:
        """Why a dataset does not load, or that it does."""
        ...

    def close(self) -> None:
        """End connections."""
        ...


class FolderSource:
    """A ONE tree on a disk, with or without tables: an unpacked export, a cache, a lab's server."""

    server = None

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise ClientError(f"{root} is not a folder: pass the folder that holds the labs or the subjects")
        self.root = root.resolve()
        self._catalogue = self._read()
        self._by_region: dict[str, set[str]] | None = None

    def catalogue(self) -> Catalogue:
        """As read when the folder was opened."""
        return self._catalogue

    def refreshed(self) -> Catalogue:
        """Read the folder again."""
        self._catalogue, self._by_region = self._read(), None
        return self._catalogue

    def datasets(self, session: SessionRow) -> list[DatasetRow]:
        """Those of the tables, else all files."""
        return self._catalogue.datasets_of(session.id)

    def fetch(self, session: SessionRow, datasets: Sequence[DatasetRow]) -> list[Path]:
        """Nothing is copied. Raises NoSuchData for a file that is only in the tables, DamagedFile for another size."""
        return [self._checked(session, dataset) for dataset in datasets]

    def sessions_of(self, filter_name: str, value: str) -> set[str]:
        """Sessions whose channels or clusters are in exactly this region; a folder has no tags or texts."""
        if filter_name != "region":
            raise InvalidFilter(f"a folder has no {filter_name}s: search on a server (cingulum.connect)")
        return self._regions().get(value, set())

    def open_recording(self, session: SessionRow, dataset: DatasetRow) -> OpenedRecording:
        """Its .meta beside it has the scale in volts."""
        path = self._checked(session, dataset)
        recording = Recording.open(path)
        meta = find_companion(path, ".meta")
        factors = None if meta is None else uv_per_bit(read_meta(meta), recording.shape[1])
        return OpenedRecording(recording, factors)

    def why_not(self, session: SessionRow, request: Request, qc: str | None) -> Sequence[LoadReason]:
        """From the names of the files, without copies elsewhere."""
        files = [
            _load_file(row, path, is_served=self._place(session, row).is_file())
            for row in self.datasets(session)
            if (path := parsed_path(row)) is not None
        ]
        worst = None if qc is None else QC_CODES[qc_name(qc)]
        return explain_loading(files, request.pattern, revision=request.revision, worst_qc=worst)

    def close(self) -> None:
        """Nothing is open."""

    def _read(self) -> Catalogue:
        tables = (self.root / SESSIONS, self.root / DATASETS)
        if all(table.is_file() for table in tables):
            return read_tables(*(table.read_bytes() for table in tables))
        return walk_folder(self.root)

    def _place(self, session: SessionRow, dataset: DatasetRow) -> Path:
        return self._catalogue.place(self.root, session, dataset)

    def _checked(self, session: SessionRow, dataset: DatasetRow) -> Path:
        path = self._place(session, dataset)
        if path.is_symlink() and not path.exists():
            raise NoSuchData(f"{path} is a link, and its file is not here: get it first")
        if not path.is_file():
            raise NoSuchData(
                f"{path} is in the tables, but not in the folder: copy it there, or use a server"
            )
        if dataset.size_bytes and path.stat().st_size != dataset.size_bytes:
            raise DamagedFile(
                f"{path} has {path.stat().st_size} bytes, its table says {dataset.size_bytes}: copy it again"
            )
        return path

    def _regions(self) -> dict[str, set[str]]:
        """Ids of sessions by region, read once per catalogue; sessions without the file here are in none."""
        if self._by_region is None:
            by_region: dict[str, set[str]] = defaultdict(set)
            for session in self._catalogue.sessions:
                for region in self._regions_of(session):
                    by_region[region].add(session.id)
            self._by_region = dict(by_region)
        return self._by_region

    def _regions_of(self, session: SessionRow) -> set[str]:
        regions: set[str] = set()
        for dataset in self.datasets(session):
            if not any(fits(dataset.rel_path) for fits in _REGIONS) or parsed_path(dataset) is None:
                continue
            if not self._place(session, dataset).exists():
                continue
            try:
                names = read_file(self._checked(session, dataset), allow_pickle=False)
            except (DamagedFile, AlfError) as problem:
                _log.warning("%s: its regions are not searched: %s", session.path, problem)
            else:
                regions |= set(map(str, np.unique(np.asarray(names).astype(str))))
        return regions


def parsed_path(row: DatasetRow) -> RelPath | None:
    """None for a name that is none: it was registered before names were checked, and is not loaded."""
    try:
        return parse_rel_path(row.rel_path)
    except InvalidName:
        return None


def _load_file(row: DatasetRow, path: RelPath, *, is_served: bool) -> LoadFile:
    return LoadFile(
        path.collection,
        str(path.file),
        path.revision,
        row.is_default,
        row.rel_path,
        is_served=is_served,
        qc=QC_CODES.get(row.qc, 0),
    )

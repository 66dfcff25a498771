"""Sessions and datasets in memory: from the ONE client's tables, or from the files of a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cingulum.alf.folder import datasets, sessions
from cingulum.alf.paths import SessionPath, build_session_path
from cingulum.alf.problems import InvalidName
from cingulum.client.problems import ClientError
from cingulum.export.path_ids import dataset_id_of, session_id_of
from cingulum.export.table_reading import (
    NO_QC,
    InvalidTable,
    projects_of,
    read_dataset_table,
    read_session_table,
    session_path_of,
)
from cingulum.qc import QC_NAMES

SESSIONS: Final = "sessions.pqt"
DATASETS: Final = "datasets.pqt"
QC_ORDER: Final = {QC_NAMES[code]: order for order, code in enumerate(sorted(QC_NAMES))}


class SessionRow(NamedTuple):
    """A session; `path` has lab, subject, date and number. Without tables, `id` is computed from the path."""

    id: str
    path: SessionPath
    task_protocol: str
    projects: tuple[str, ...]


class DatasetRow(NamedTuple):
    """A dataset in one revision; `rel_path` is below its session. Without tables, there is no `md5`.

    `size_bytes` is None if tables lack it, or if the file is a link to nothing.
    """

    id: str
    rel_path: str
    size_bytes: int | None
    md5: str
    is_default: bool
    qc: str


class Catalogue:
    """All sessions, newest first, and their datasets.

    >>> from cingulum.alf.paths import parse_session_path
    >>> session = SessionRow("a", parse_session_path("hilllab/Subjects/m1/2024-01-02/001"), "", ())
    >>> catalogue = Catalogue([session], [("a", DatasetRow("b", "alf/spikes.times.npy", 8, "", True, "PASS"))])
    >>> catalogue.with_dataset(lambda path: path.endswith("times.npy"), "PASS"), len(catalogue.datasets_of("a"))
    ({'a'}, 1)
    """

    def __init__(
        self,
        rows: Iterable[SessionRow],
        table: pa.Table | Iterable[tuple[str, DatasetRow]],
        places: Mapping[tuple[str, str], Path] | None = None,
    ) -> None:
        self._files = places or {}
        self.sessions: Sequence[SessionRow] = sorted(rows, key=_newest_first)
        self.by_id = {row.id: row for row in self.sessions}
        self._table = table if isinstance(table, pa.Table) else _as_table(table)
        # Of a quarter of a million paths, some hundred differ: patterns are compared with these.
        paths = self._table.column("rel_path").combine_chunks().dictionary_encode()
        self._paths: list[str] = paths.dictionary.to_pylist()
        self._path_codes: NDArray[np.int32] = np.asarray(paths.indices)
        owners = self._table.column("eid").combine_chunks().dictionary_encode()
        self._owners: list[str] = owners.dictionary.to_pylist()
        self._owner_codes: NDArray[np.int32] = np.asarray(owners.indices)
        self._order = np.argsort(self._owner_codes, kind="stable")
        counts = np.bincount(self._owner_codes, minlength=len(self._owners))
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        self._places = {owner: at for at, owner in enumerate(self._owners)}
        qc = self._table.column("qc").to_pylist()
        self._qc: NDArray[np.int8] = np.array([QC_ORDER.get(name, 0) for name in qc], np.int8)

    def datasets_of(self, session_id: str) -> list[DatasetRow]:
        """Every dataset of a session in every revision, in the order of their paths."""
        at = self._places.get(session_id)
        if at is None:
            return []
        rows = self._table.take(self._order[self._starts[at] : self._starts[at + 1]])
        return sorted((_dataset_row(row) for row in rows.to_pylist()), key=lambda row: row.rel_path)

    def place(self, root: Path, session: SessionRow, dataset: DatasetRow) -> Path:
        """Where a file lies, which need not be as its session is written, such as `1` for `001`."""
        known = self._files.get((session.id, dataset.rel_path))
        return known or root / str(session.path) / dataset.rel_path

    def with_dataset(self, matches: Callable[[str], bool], worst_qc: str | None = None) -> set[str]:
        """Ids of sessions with a dataset whose path matches and whose QC is not worse."""
        fits = np.array([matches(path) for path in self._paths], bool)
        rows = fits[self._path_codes] if len(self._path_codes) else np.zeros(0, bool)
        if worst_qc is not None:
            rows &= self._qc <= QC_ORDER[worst_qc]
        return {self._owners[at] for at in np.unique(self._owner_codes[rows])}


def read_tables(sessions_pqt: bytes, datasets_pqt: bytes) -> Catalogue:
    """The catalogue in the two tables of the ONE client. Raises ClientError for others."""
    try:
        known = read_session_table(sessions_pqt).to_pylist()
        table = read_dataset_table(datasets_pqt)
    except InvalidTable as problem:
        raise ClientError(f"the tables {SESSIONS} and {DATASETS} cannot be read ({problem})") from problem
    rows = [session for row in known if (session := _session_row(row)) is not None]
    return Catalogue(rows, table.filter(table.column("exists")))


def walk_folder(root: Path) -> Catalogue:
    """The catalogue of a folder without tables: every file with an ALF name, with an id from its path.

    `root` may be any folder above or in a lab's tree, also that of one session.
    """
    known: dict[str, SessionRow] = {}
    files: list[tuple[str, DatasetRow]] = []
    places: dict[tuple[str, str], Path] = {}
    for path, folder in sessions(root):
        session_id = session_id_of(path)
        if session_id in known:  # folders of two labs whose names are none, or the numbers 1 and 001
            session_id = session_id_of(folder.relative_to(root).as_posix())
        known[session_id] = SessionRow(session_id, path, "", ())
        for dataset in datasets(folder):
            rel_path = str(dataset.rel_path)
            dataset_id = dataset_id_of(session_id, rel_path)
            row = DatasetRow(dataset_id, rel_path, _size(dataset.path), "", is_default=False, qc=NO_QC)
            files.append((session_id, row))
            places[session_id, rel_path] = dataset.path
    return Catalogue(known.values(), files, places)


def _size(path: Path) -> int | None:
    """None for a link whose file is elsewhere (git-annex, DataLad), and for a file removed meanwhile."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _newest_first(row: SessionRow) -> tuple[int, int, str]:
    return -row.path.date.toordinal(), -row.path.number, str(row.path)


def _session_row(row: dict[str, Any]) -> SessionRow | None:
    """None for names that are no folders of a session: they could lead out of the folder of all data."""
    path = session_path_of(row)
    try:
        build_session_path(path)
    except InvalidName:
        return None
    return SessionRow(row["id"], path, row["task_protocol"], tuple(projects_of(row)))


def _dataset_row(row: dict[str, Any]) -> DatasetRow:
    return DatasetRow(
        row["id"],
        row["rel_path"],
        row["file_size"],
        row["hash"],
        row["default_revision"],
        row["qc"],
    )


def _as_table(rows: Iterable[tuple[str, DatasetRow]]) -> pa.Table:
    listed = [(eid, *row) for eid, row in rows]
    columns = list(zip(*listed, strict=True)) or [()] * 7
    kinds = (pa.string(), pa.string(), pa.string(), pa.int64(), pa.string(), pa.bool_(), pa.string())
    names = ("eid", "id", "rel_path", "file_size", "hash", "default_revision", "qc")
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    return pa.table(dict(zip(names, arrays, strict=True)))

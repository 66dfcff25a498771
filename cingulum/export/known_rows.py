"""Rows of the ONE client's tables that a folder has already: its ids are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cingulum.alf.paths import SessionPath
from cingulum.export.path_ids import dataset_id_of, session_id_of
from cingulum.export.table_reading import (
    projects_of,
    read_dataset_table,
    read_session_table,
    session_path_of,
)
from cingulum.qc import QC_NAMES

_CODES: Final = {name: code for code, name in QC_NAMES.items()}


@dataclass(frozen=True)
class KnownSession:
    """A session as a table has it."""

    id: str
    task_protocol: str = ""
    projects: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownDataset:
    """A dataset as a table has it."""

    id: str
    qc: int = 0
    is_default: bool = False


@dataclass(frozen=True)
class KnownRows:
    """Sessions by lab, subject, date and number, datasets by session and path in it; others get ids of their paths.

    >>> from datetime import date
    >>> rows = KnownRows()
    >>> session = SessionPath("", "m1", date(2024, 1, 2), 1)
    >>> rows.session(session) == rows.session(session), rows.session(session).id[14]
    (True, '3')
    """

    sessions: dict[SessionPath, KnownSession] = field(default_factory=dict)
    datasets: dict[tuple[str, str], KnownDataset] = field(default_factory=dict)

    def session(self, path: SessionPath) -> KnownSession:
        """A session, of the table or with an id made from its path."""
        return self.sessions.get(path) or KnownSession(session_id_of(path))

    def dataset(self, eid: str, rel_path: str) -> KnownDataset:
        """A dataset, of the table or with an id made from its session's and its path."""
        return self.datasets.get((eid, rel_path)) or KnownDataset(dataset_id_of(eid, rel_path))


def read_known_rows(folder: Path) -> KnownRows:
    """The tables of a folder; none where it has none. Raises InvalidTable and OSError."""
    known = KnownRows()
    if (file := folder / "sessions.pqt").is_file():
        for row in read_session_table(file.read_bytes()).to_pylist():
            known.sessions[session_path_of(row)] = KnownSession(
                row["id"], row["task_protocol"], tuple(projects_of(row))
            )
    if (file := folder / "datasets.pqt").is_file():
        for row in read_dataset_table(file.read_bytes()).to_pylist():
            known.datasets[row["eid"], row["rel_path"]] = KnownDataset(
                row["id"], _CODES.get(row["qc"], 0), row["default_revision"]
            )
    return known

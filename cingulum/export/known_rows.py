"""Rows of the ONE client's tables that a folder has already: its ids are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid3

import pyarrow.parquet as pq

from cingulum.alf.paths import SessionPath
from cingulum.qc import QC_NAMES

_SESSION_COLUMNS: Final = ("id", "lab", "subject", "date", "number")
_DATASET_COLUMNS: Final = ("eid", "id", "rel_path")
_CODES: Final = {name: code for code, name in QC_NAMES.items()}


@dataclass(frozen=True)
class KnownSession:
    """A session as a table has it."""

    id: str
    task_protocol: str = ""
    projects: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownDataset:
    """A dataset as a table has it; `is_default` is None where the table does not say."""

    id: str
    qc: int = 0
    is_default: bool | None = None


@dataclass(frozen=True)
class KnownRows:
    """Sessions by lab, subject, date and number, datasets by session and path in it; others get ids of their paths.

    >>> rows = KnownRows()
    >>> session = SessionPath("", "m1", date(2024, 1, 2), 1)
    >>> rows.session(session) == rows.session(session), rows.session(session).id[14]
    (True, '3')
    """

    sessions: dict[SessionPath, KnownSession] = field(default_factory=dict)
    datasets: dict[tuple[str, str], KnownDataset] = field(default_factory=dict)

    def session(self, path: SessionPath) -> KnownSession:
        """A session, of the table or with an id made from its path."""
        return self.sessions.get(path) or KnownSession(_id_of(str(path)))

    def dataset(self, eid: str, rel_path: str) -> KnownDataset:
        """A dataset, of the table or with an id made from its session's and its path."""
        return self.datasets.get((eid, rel_path)) or KnownDataset(_id_of(f"{eid}/{rel_path}"))


def _id_of(text: str) -> str:
    """An id of version 3, as the ONE client makes for what no server knows."""
    return str(uuid3(NAMESPACE_URL, f"cingulum:{text}"))


def read_known_rows(folder: Path) -> KnownRows:
    """The tables of a folder; none where it has none, or ones of an older form without text ids."""
    sessions = _rows(folder / "sessions.pqt", _SESSION_COLUMNS)
    datasets = _rows(folder / "datasets.pqt", _DATASET_COLUMNS)
    return KnownRows(
        {_path_of(row): _session_of(row) for row in sessions},
        {(str(row["eid"]), str(row["rel_path"])): _dataset_of(row) for row in datasets},
    )


def _rows(file: Path, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    table = pq.read_table(file)
    if not set(columns) <= set(table.column_names):
        return []
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _path_of(row: dict[str, Any]) -> SessionPath:
    day = row["date"] if isinstance(row["date"], date) else date.fromisoformat(str(row["date"])[:10])
    return SessionPath(str(row["lab"] or ""), str(row["subject"]), day, int(row["number"] or 0))


def _session_of(row: dict[str, Any]) -> KnownSession:
    projects = str(row.get("projects") or "")
    return KnownSession(
        str(row["id"]), str(row.get("task_protocol") or ""), tuple(filter(None, projects.split(",")))
    )


def _dataset_of(row: dict[str, Any]) -> KnownDataset:
    return KnownDataset(str(row["id"]), _CODES.get(str(row.get("qc")), 0), row.get("default_revision"))

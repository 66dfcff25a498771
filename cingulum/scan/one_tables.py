"""What `cingulum import one-tables` imports: the tables of the ONE client as sessions with their datasets."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from cingulum.alf import SessionPath
from cingulum.export.table_reading import (
    InvalidTable,
    projects_of,
    read_dataset_table,
    read_session_table,
    session_path_of,
)


class DatasetOfTable(NamedTuple):
    """A row of the table of datasets. `md5` is empty and `size_bytes` None where the table has none."""

    id: UUID
    rel_path: str
    size_bytes: int | None
    md5: str
    qc: str
    is_default: bool


class SessionOfTable(NamedTuple):
    """A row of the table of sessions, with its datasets that exist."""

    id: UUID
    path: SessionPath
    task_protocol: str
    projects: list[str]
    datasets: list[DatasetOfTable]


class OneTables(NamedTuple):
    """What the tables have. `n_absent` datasets are in the table and not on the server, `n_orphans` in no session."""

    sessions: list[SessionOfTable]
    n_absent: int
    n_orphans: int


def read_one_tables(folder: Path) -> OneTables:
    """Read the tables of a folder. Raises OSError, and InvalidTable for a file that is no such table."""
    sessions = read_session_table((folder / "sessions.pqt").read_bytes()).to_pylist()
    datasets = read_dataset_table((folder / "datasets.pqt").read_bytes()).to_pylist()
    by_session: dict[str, list[DatasetOfTable]] = defaultdict(list)
    n_absent = 0
    for row in datasets:
        if not row["exists"]:
            n_absent += 1
            continue
        by_session[row["eid"]].append(
            DatasetOfTable(
                _uuid(row["id"]),
                row["rel_path"],
                row["file_size"],
                row["hash"],
                row["qc"],
                row["default_revision"],
            )
        )
    known = {row["id"] for row in sessions}
    n_orphans = sum(len(rows) for eid, rows in by_session.items() if eid not in known)
    listed = [
        SessionOfTable(
            _uuid(row["id"]),
            session_path_of(row),
            row["task_protocol"],
            projects_of(row),
            by_session.get(row["id"], []),
        )
        for row in sessions
    ]
    return OneTables(listed, n_absent, n_orphans)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidTable(f"the table has {text!r}, which is no id") from None

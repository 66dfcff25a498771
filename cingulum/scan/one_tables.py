"""Reads the ONE client's tables `sessions.pqt` and `datasets.pqt`, in the present form and the older ones."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from cingulum.alf import SessionPath


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
    """Read the tables of a folder. Raises OSError, and ValueError for a file that is no such table."""
    sessions = _rows(folder / "sessions.pqt")
    datasets = _rows(folder / "datasets.pqt")
    session_ids, dataset_ids = _ids(sessions, "id"), _ids(datasets, "id")
    by_session: dict[UUID, list[DatasetOfTable]] = defaultdict(list)
    n_absent = 0
    for row, dataset_id, eid in zip(datasets, dataset_ids, _ids(datasets, "eid"), strict=True):
        if row.get("exists") is False:
            n_absent += 1
            continue
        size = row.get("file_size")
        by_session[eid].append(
            DatasetOfTable(
                dataset_id,
                row["rel_path"],
                None if size is None or isnan(size) else int(size),
                (row.get("hash") or "").lower(),
                row.get("qc") or "NOT_SET",
                row.get("default_revision", True) is not False,
            )
        )
    known = set(session_ids)
    n_orphans = sum(len(rows) for eid, rows in by_session.items() if eid not in known)
    listed = [
        SessionOfTable(
            session_id,
            SessionPath(row["lab"], row["subject"], row["date"], int(row["number"])),
            row.get("task_protocol") or "",
            [name for name in (row.get("projects") or row.get("project") or "").split(",") if name],
            by_session.get(session_id, []),
        )
        for row, session_id in zip(sessions, session_ids, strict=True)
    ]
    return OneTables(listed, n_absent, n_orphans)


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    except pa.ArrowInvalid as error:
        raise ValueError(f"{file} is no table of the ONE client: {error}") from None
    return rows


def _ids(rows: Sequence[dict[str, Any]], name: str) -> list[UUID]:
    """The ids in a column, as text; older tables have them as two integers."""
    if rows and f"{name}_0" in rows[0]:
        return [UUID(bytes=struct.pack("<qq", row[f"{name}_0"], row[f"{name}_1"])) for row in rows]
    try:
        return [UUID(str(row[name])) for row in rows]
    except KeyError:
        raise ValueError(f"the table has no column {name!r}") from None

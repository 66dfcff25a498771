"""Reads the ONE client's tables `sessions.pqt` and `datasets.pqt`, in the present form and the older ones.

Older ones have ids as two integers each, `project` for `projects`, sizes as floats, and no default revisions or QC.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cingulum.alf.paths import SessionPath, parse_inside
from cingulum.alf.problems import InvalidName
from cingulum.export.one_tables import defaults_among

NO_QC: Final = "NOT_SET"
_TEXT: Final = pa.string()


class InvalidTable(Exception):
    """A file is no table of the ONE client; the message says why."""


def read_session_table(data: bytes) -> pa.Table:
    """Columns `id lab subject date number task_protocol projects`; rows without subject or date are left out.

    Raises InvalidTable.
    """
    table = _read(data, "sessions")
    projects = "projects" if "projects" in table.column_names else "project"
    columns = {
        "id": _ids(table, "id"),
        "lab": _column(table, "lab", _TEXT, ""),
        "subject": _needed(table, "subject").cast(_TEXT),
        "date": _dates(_needed(table, "date")),
        "number": pc.fill_null(_needed(table, "number").cast(pa.int64()), 0),
        "task_protocol": _column(table, "task_protocol", _TEXT, ""),
        "projects": _column(table, projects, _TEXT, ""),
    }
    named = pc.and_(pc.is_valid(columns["subject"]), pc.is_valid(columns["date"]))
    return pa.table(columns).filter(named)


def read_dataset_table(data: bytes) -> pa.Table:
    """Columns `eid id rel_path file_size hash default_revision qc exists`; only `file_size` may be null.

    A table without `default_revision` has the newest one of each file as its default. Raises InvalidTable.
    """
    table = _read(data, "datasets")
    columns = {
        "eid": _ids(table, "eid"),
        "id": _ids(table, "id"),
        "rel_path": _needed(table, "rel_path").cast(_TEXT),
        "file_size": _sizes(table),
        "hash": pc.utf8_lower(_column(table, "hash", _TEXT, "")),
        "default_revision": _column(table, "default_revision", pa.bool_(), missing=False),
        "qc": _column(table, "qc", _TEXT, NO_QC),
        "exists": _column(table, "exists", pa.bool_(), missing=True),
    }
    if "default_revision" not in table.column_names:
        columns["default_revision"] = _newest(columns["eid"], columns["rel_path"])
    return pa.table(columns)


def session_path_of(row: Mapping[str, Any]) -> SessionPath:
    """Of a row of `read_session_table`."""
    return SessionPath(row["lab"], row["subject"], row["date"], row["number"])


def projects_of(row: Mapping[str, Any]) -> list[str]:
    """Of a row of `read_session_table`."""
    return [name for name in row["projects"].split(",") if name]


def _read(data: bytes, kind: str) -> pa.Table:
    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as problem:
        raise InvalidTable(f"the table of {kind} is no table of the ONE client: {problem}") from problem
    # A dictionary of texts is for us the texts.
    return pa.table(
        {
            name: column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )


def _needed(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise InvalidTable(f"the table has no column {name!r}")
    return table.column(name)


def _column(table: pa.Table, name: str, kind: pa.DataType, missing: str | bool) -> pa.ChunkedArray:
    """A column that may be absent or null."""
    if name not in table.column_names:
        return pa.chunked_array([pa.array([missing] * len(table), kind)])
    return pc.fill_null(table.column(name).cast(kind), pa.scalar(missing, kind))


def _ids(table: pa.Table, name: str) -> pa.ChunkedArray:
    if f"{name}_0" in table.column_names:
        halves = (_needed(table, f"{name}_{n}").to_pylist() for n in (0, 1))
        ids = [str(UUID(bytes=struct.pack("<qq", *pair))) for pair in zip(*halves, strict=True)]
        return pa.chunked_array([pa.array(ids, _TEXT)])
    return _needed(table, name).cast(_TEXT)


def _dates(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        return column.cast(pa.date32(), safe=False)
    try:
        days = [None if text is None else date.fromisoformat(text[:10]) for text in column.to_pylist()]
    except ValueError as problem:
        raise InvalidTable(f"the table has a wrong date: {problem}") from problem
    return pa.chunked_array([pa.array(days, pa.date32())])


def _sizes(table: pa.Table) -> pa.ChunkedArray:
    if "file_size" not in table.column_names:
        return pa.chunked_array([pa.nulls(len(table), pa.int64())])
    column = table.column("file_size")
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, None)
    return column.cast(pa.int64(), safe=False)


def _newest(eids: pa.ChunkedArray, rel_paths: pa.ChunkedArray) -> pa.ChunkedArray:
    files = [
        (eid, *_without_revision(path))
        for eid, path in zip(eids.to_pylist(), rel_paths.to_pylist(), strict=True)
    ]
    newest = defaults_among(((eid, file), revision, False) for eid, file, revision in files)
    return pa.chunked_array(
        [pa.array([newest[eid, file] == revision for eid, file, revision in files], pa.bool_())]
    )


def _without_revision(rel_path: str) -> Sequence[str]:
    folder, _, name = rel_path.rpartition("/")
    try:
        collection, revision = parse_inside(folder)
    except InvalidName:
        return rel_path, ""
    return f"{collection}/{name}", revision

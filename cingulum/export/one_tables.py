"""The ONE client's tables `sessions.pqt` and `datasets.pqt`, in the format of pandas but written without pandas."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cingulum.qc import QC_NAMES

ORIGIN: Final = "cingulum"
MIN_API_VERSION: Final = "2.10"
_PANDAS: Final = {
    "string": ("unicode", "object"),
    "date32[day]": ("date", "object"),
    "uint16": ("uint16", "uint16"),
    "uint64": ("uint64", "uint64"),
    "bool": ("bool", "bool"),
}


class TableSession(NamedTuple):
    """A row of the table of sessions."""

    id: str
    lab: str
    subject: str
    date: date
    number: int
    task_protocol: str | None
    projects: list[str] | None


class TableDataset(NamedTuple):
    """A row of the table of datasets; `hash` is the MD5, `qc` a code of `QC_NAMES`."""

    eid: str
    id: str
    size_bytes: int
    hash: str
    default_revision: bool
    qc: int
    relative_path: str


@dataclass(frozen=True)
class ZippedTables:
    """The tables of one caller, zipped. `date_created` is local time without zone, as the client compares it."""

    date_created: str
    zipped: bytes
    rows: dict[str, int]
    sizes_bytes: dict[str, int]
    tag: str | None = None


def write_tables(
    sessions: Sequence[TableSession], datasets: Sequence[TableDataset] | pa.Table, description: dict[str, Any]
) -> dict[str, bytes]:
    """The two files; sessions sorted by id, datasets by (eid, id): as rows, or as the table of `datasets_table`.

    `description` is of `describe`.
    """
    table = datasets if isinstance(datasets, pa.Table) else _datasets(datasets)
    return {
        "sessions.pqt": _parquet(_sessions(sessions), ["id"], description),
        "datasets.pqt": _parquet(table, ["eid", "id"], description),
    }


def describe(date_created: str, tag: str | None = None) -> dict[str, Any]:
    """What the client reads about a table: `date_created` is local time without zone, as it compares it."""
    tags = {} if tag is None else {"database_tags": [tag]}
    return {"date_created": date_created, "origin": ORIGIN, "min_api_version": MIN_API_VERSION, **tags}


def zip_tables(
    sessions: Sequence[TableSession],
    datasets: Sequence[TableDataset] | pa.Table,
    date_created: str,
    tag: str | None = None,
) -> ZippedTables:
    """Write the tables of `write_tables` to the two files, and these to a zip."""
    description = describe(date_created, tag)
    files = write_tables(sessions, datasets, description)
    rows = {"sessions": len(sessions), "datasets": len(datasets)}
    sizes = {name: len(files[f"{name}.pqt"]) for name in rows}
    tables = {name: {"nrecs": rows[name], "size": sizes[name]} for name in rows}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
        zipped.writestr("cache_info.json", json.dumps(description | {"tables": tables}))
    return ZippedTables(date_created, buffer.getvalue(), rows, sizes, tag)


def defaults_among(revisions: Iterable[tuple[Any, str, bool]]) -> dict[Any, str]:
    """The default revision of each file: the flagged one, else the newest.

    Each item is a file without its revision, the revision, and whether it is flagged.

    >>> defaults_among([("a", "", True), ("a", "2024-01-01", False), ("b", "", False), ("b", "v1", False)])
    {'a': '', 'b': 'v1'}
    """
    best: dict[Any, tuple[bool, str]] = {}
    for file, revision, is_flagged in revisions:
        best[file] = max(best.get(file, (False, "")), (is_flagged, revision))
    return {file: revision for file, (_, revision) in best.items()}


def _sessions(rows: Sequence[TableSession]) -> pa.Table:
    return pa.table(
        {
            "id": pa.array([row.id for row in rows], pa.string()),
            "lab": pa.array([row.lab for row in rows], pa.string()),
            "subject": pa.array([row.subject for row in rows], pa.string()),
            "date": pa.array([row.date for row in rows], pa.date32()),
            "number": pa.array([row.number for row in rows], pa.uint16()),
            "task_protocol": pa.array([row.task_protocol or "" for row in rows], pa.string()),
            "projects": pa.array([",".join(row.projects or ()) for row in rows], pa.string()),
        }
    )


def _datasets(rows: Sequence[TableDataset]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(TableDataset._fields)
    return datasets_table(dict(zip(TableDataset._fields, columns, strict=True)))


def datasets_table(columns: Mapping[str, Any]) -> pa.Table:
    """The table of datasets from the columns of `TableDataset`: lists, or arrays of Arrow."""
    positions = pc.index_in(
        pa.array(columns["qc"], pa.int64()), value_set=pa.array(sorted(QC_NAMES), pa.int64())
    ).cast(pa.int8())
    names = pa.array([QC_NAMES[code] for code in sorted(QC_NAMES)], pa.string())
    return pa.table(
        {
            "eid": pa.array(columns["eid"], pa.string()),
            "id": pa.array(columns["id"], pa.string()),
            "file_size": pa.array(columns["size_bytes"], pa.uint64()),
            "hash": pa.array(columns["hash"], pa.string()),
            "default_revision": pa.array(columns["default_revision"], pa.bool_()),
            "qc": pa.DictionaryArray.from_arrays(positions, names, ordered=True),
            "exists": pa.array([True] * len(positions), pa.bool_()),
            "rel_path": pa.array(columns["relative_path"], pa.string()),
        }
    )


def _parquet(table: pa.Table, index: list[str], description: dict[str, Any]) -> bytes:
    metadata = {"pandas": json.dumps(_pandas(table, index)), "one_metadata": json.dumps(description)}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), sink, compression="zstd")
    return sink.getvalue()


def _pandas(table: pa.Table, index: list[str]) -> dict[str, Any]:
    """The metadata that pandas writes with a frame, so that the index is read as one."""
    return {
        "index_columns": index,
        "column_indexes": [
            {"name": None, "field_name": None, "pandas_type": "unicode", "numpy_type": "object",
             "metadata": {"encoding": "UTF-8"}}
        ],
        "columns": [_pandas_column(field) for field in table.schema],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.2.0",
    }  # fmt: skip


def _pandas_column(field: pa.Field) -> dict[str, Any]:
    metadata = None
    if pa.types.is_dictionary(field.type):
        pandas_type, numpy_type = "categorical", "int8"
        metadata = {"num_categories": len(QC_NAMES), "ordered": True}
    else:
        pandas_type, numpy_type = _PANDAS[str(field.type)]
    return {
        "name": field.name, "field_name": field.name, "pandas_type": pandas_type, "numpy_type": numpy_type,
        "metadata": metadata,
    }  # fmt: skip

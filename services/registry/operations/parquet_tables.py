"""Writes the ONE client's tables as parquet, in the format of pandas but without pandas."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from libs.common.schemas.qc import QC_NAMES
from services.registry.queries.cache_tables import CachedDataset, CachedSession

ORIGIN: Final = "cingulum"
MIN_API_VERSION: Final = "2.10"
_QC_POSITION: Final = {code: position for position, code in enumerate(sorted(QC_NAMES))}
_PANDAS: Final = {
    "string": ("unicode", "object"),
    "date32[day]": ("date", "object"),
    "uint16": ("uint16", "uint16"),
    "uint64": ("uint64", "uint64"),
    "bool": ("bool", "bool"),
}


@dataclass(frozen=True)
class ZippedTables:
    """The tables of one caller, zipped. `date_created` is local time without zone, as the client compares it."""

    date_created: str
    zipped: bytes
    rows: dict[str, int]
    sizes_bytes: dict[str, int]
    tag: str | None = None


def write_tables(
    sessions: Sequence[CachedSession],
    datasets: Sequence[CachedDataset],
    date_created: str,
    tag: str | None = None,
) -> ZippedTables:
    """Write rows to parquet files, and these to a zip; sessions sorted by id, datasets by (eid, id)."""
    description = {"date_created": date_created, "origin": ORIGIN, "min_api_version": MIN_API_VERSION}
    if tag is not None:
        description["database_tags"] = [tag]  # type: ignore[assignment]
    files = {
        "sessions": _parquet(_sessions(sessions), ["id"], description),
        "datasets": _parquet(_datasets(datasets), ["eid", "id"], description),
    }
    rows = {"sessions": len(sessions), "datasets": len(datasets)}
    sizes = {name: len(data) for name, data in files.items()}
    tables = {name: {"nrecs": rows[name], "size": sizes[name]} for name in files}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:
        for name, data in files.items():
            zipped.writestr(f"{name}.pqt", data)
        zipped.writestr("cache_info.json", json.dumps(description | {"tables": tables}))
    return ZippedTables(date_created, buffer.getvalue(), rows, sizes, tag)


def _sessions(rows: Sequence[CachedSession]) -> pa.Table:
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


def _datasets(rows: Sequence[CachedDataset]) -> pa.Table:
    positions = pa.array([_QC_POSITION[row.qc] for row in rows], pa.int8())
    names = pa.array([QC_NAMES[code] for code in sorted(QC_NAMES)], pa.string())
    return pa.table(
        {
            "eid": pa.array([row.eid for row in rows], pa.string()),
            "id": pa.array([row.id for row in rows], pa.string()),
            "file_size": pa.array([row.size_bytes for row in rows], pa.uint64()),
            "hash": pa.array([row.hash for row in rows], pa.string()),
            "default_revision": pa.array([row.default_revision for row in rows], pa.bool_()),
            "qc": pa.DictionaryArray.from_arrays(positions, names, ordered=True),
            "exists": pa.array([True] * len(rows), pa.bool_()),
            "rel_path": pa.array([row.relative_path for row in rows], pa.string()),
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

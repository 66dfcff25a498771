"""The table of datasets from CSV as PostgreSQL writes it, without Python objects of its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from cingulum.export.one_tables import datasets_table

_TYPES: Final = {
    "eid": pa.string(),
    "id": pa.string(),
    "file_size": pa.uint64(),
    "hash": pa.string(),
    "is_flagged": pa.bool_(),
    "qc": pa.int64(),
    "collection": pa.string(),
    "revision": pa.string(),
    "name": pa.string(),
}
CSV_COLUMNS: Final = tuple(_TYPES)
_FILE: Final = ("eid", "collection", "name")  # of a dataset, without its revision


def read_datasets(content: bytes) -> pa.Table:
    """The table of datasets, sorted by (eid, id), from rows of `CSV_COLUMNS` without a header, booleans as t and f.

    One revision of each file is the default: the flagged one, else the newest.

    >>> rows = "s,b,1,ab,f,0,alf,2024-01-01,x.npy\\ns,a,1,cd,t,30,alf,,x.npy\\n"
    >>> table = read_datasets(rows.encode()).select(["id", "default_revision", "rel_path"])
    >>> table.to_pydict()["default_revision"], table.to_pydict()["rel_path"]
    ([True, False], ['alf/x.npy', 'alf/#2024-01-01#/x.npy'])
    """
    rows = _parse(content)
    rows = rows.sort_by([(name, "ascending") for name in (*_FILE, "is_flagged", "revision")])
    rows = rows.append_column("default_revision", _is_last_of_its_file(rows))
    rows = rows.append_column("rel_path", _relative_paths(rows))
    rows = rows.sort_by([("eid", "ascending"), ("id", "ascending")]).combine_chunks()
    columns = {name: _one_array(rows[name]) for name in rows.column_names}
    return datasets_table(
        {**columns, "size_bytes": columns["file_size"], "relative_path": columns["rel_path"]}
    )


def sessions_of(table: pa.Table, dataset_ids: Collection[str]) -> set[str]:
    """The sessions that have one of these datasets in a table of `read_datasets`."""
    rows = pc.is_in(table["id"], value_set=pa.array(list(dataset_ids), pa.string()))
    return set(table["eid"].filter(rows).to_pylist())


def replace_sessions(table: pa.Table, session_ids: Collection[str], rows: pa.Table) -> pa.Table:
    """A table of `read_datasets` with all rows of these sessions replaced by `rows`, which are sorted as it is.

    >>> whole = read_datasets(b"s,b,1,ab,f,0,alf,,x.npy\\nt,c,1,cd,t,30,alf,,x.npy\\n")
    >>> replace_sessions(whole, {"s"}, read_datasets(b"s,a,2,ef,f,0,alf,,y.npy\\n"))["id"].to_pylist()
    ['a', 'c']
    """
    parts, start = [], 0
    for session_id in sorted(session_ids):
        first = pc.sum(pc.less(table["eid"], session_id)).as_py() or 0
        stop = pc.sum(pc.less_equal(table["eid"], session_id)).as_py() or 0
        parts += [table.slice(start, first - start), rows.filter(pc.equal(rows["eid"], session_id))]
        start = stop
    return pa.concat_tables([*parts, table.slice(start)]).combine_chunks()


def digest_of(table: pa.Table) -> bytes:
    """A hash of all values of a table."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return hashlib.sha256(sink.getvalue()).digest()


def _parse(content: bytes) -> pa.Table:
    if not content:
        return pa.table({name: pa.array([], kind) for name, kind in _TYPES.items()})
    return pacsv.read_csv(
        pa.BufferReader(content),
        read_options=pacsv.ReadOptions(column_names=list(CSV_COLUMNS)),
        parse_options=pacsv.ParseOptions(newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=_TYPES, true_values=["t"], false_values=["f"], strings_can_be_null=False
        ),
    )


def _is_last_of_its_file(rows: pa.Table) -> pa.Array:
    """Whether the next row is of another file; the rows are sorted by file."""
    if not len(rows):
        return pa.array([], pa.bool_())
    differs = [pc.not_equal(rows[name].slice(0, len(rows) - 1), rows[name].slice(1)) for name in _FILE]
    is_last: Any = differs[0]
    for other in differs[1:]:
        is_last = pc.or_(is_last, other)
    return pa.chunked_array([*is_last.chunks, pa.array([True])], pa.bool_())


def _relative_paths(rows: pa.Table) -> Any:
    """Collection, revision between hashes, and name, as `cingulum.alf.paths.inner_path` joins them."""
    collection, revision = rows["collection"], rows["revision"]
    return pc.binary_join_element_wise(
        pc.if_else(pc.equal(collection, ""), "", pc.binary_join_element_wise(collection, "/", "")),
        pc.if_else(pc.equal(revision, ""), "", pc.binary_join_element_wise("#", revision, "#/", "")),
        rows["name"],
        "",
    )


def _one_array(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

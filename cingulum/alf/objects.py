"""The attributes of one object from its files: metadata, tables and synchronisation points."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from cingulum.alf.contents import flat
from cingulum.alf.names import FileName
from cingulum.alf.tables import Columns, join_pairs

Array = np.ndarray[Any, np.dtype[Any]]


def is_metadata_of(name: FileName, data: FileName) -> bool:
    """Whether a file describes another: `object.attribute[.extra].metadata.json` beside it.

    >>> from cingulum.alf import parse_file_name
    >>> is_metadata_of(parse_file_name("a.b.metadata.json"), parse_file_name("a.b.raw.npy"))
    True
    """
    return (
        is_metadata(name)
        and name[:4] == data[:4]
        and name.extras[:-1] in {(), data.extras}
        and not is_metadata(data)
    )


def is_metadata(name: FileName) -> bool:
    """Whether a file only describes another.

    >>> from cingulum.alf import parse_file_name
    >>> is_metadata(parse_file_name("a.b.metadata.json"))
    True
    """
    return name.extension == "json" and name.extras[-1:] == ("metadata",)


def assemble(contents: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Assemble an object from the contents of its files.

    `contents` and `metadata` are keyed by `FileName.key` of the data file. A metadata `columns` list splits an
    array into its columns; a `table` becomes its columns; 2×2 `timestamps` become one time (seconds) per row.
    >>> assemble({"pos": np.array([[1, 2], [3, 4]])}, {"pos": {"columns": ["x", "y"], "unit": "mm"}})
    {'x': array([1, 3]), 'y': array([2, 4]), 'posmetadata': {'unit': 'mm'}}
    """
    parts: dict[str, Any] = {}
    for key, content in contents.items():
        parts |= _with_metadata(key, content, metadata.get(key))
    for key in [key for key in parts if re.match(r"table([_.]|$)", key)]:
        if isinstance(parts[key], dict):
            parts |= table_attributes(parts.pop(key), key.removeprefix("table"))
    rows = row_count(parts)
    if rows is None:
        return parts
    return {
        key: timestamps_of_rows(value, rows)
        if "timestamps" in key and isinstance(value, np.ndarray)
        else value
        for key, value in parts.items()
    }


def _with_metadata(key: str, content: Any, metadata: Any) -> dict[str, Any]:
    if not isinstance(metadata, dict):
        return {key: content} if metadata is None else {key: content, f"{key}metadata": metadata}
    rest = dict(metadata)
    parts = {key: content}
    names = rest.get("columns")
    table = content[:, np.newaxis] if isinstance(content, np.ndarray) and content.ndim == 1 else content
    if names and isinstance(table, np.ndarray) and table.ndim > 1 and table.shape[1] >= len(names):
        del rest["columns"]
        parts = {name: table[:, at] for at, name in enumerate(names)}
    return parts | {f"{key}metadata": rest} if rest else parts


def table_attributes(columns: Columns, suffix: str) -> Columns:
    """Name a table's columns as attributes: the table's timescale and extra parts are appended to each.

    >>> table_attributes({"goCue_times": np.array([1.5])}, "_bpod")
    {'goCue_times_bpod': array([1.5])}
    """
    renamed = {}
    for name, values in columns.items():
        halves = (name[:-2], name[-2:]) if re.fullmatch(r".+_[01]", name) else (name, "")
        renamed[halves[0] + suffix + halves[1]] = values
    return join_pairs(renamed)


def row_count(parts: Mapping[str, Any]) -> int | None:
    """How many rows an object has; None if its attributes differ or none has rows.

    One row is repeated for all; 2×2 `timestamps` imply no number of rows.
    >>> row_count({"times": np.zeros(5), "label": np.zeros(1), "timestamps": np.zeros((2, 2))})
    5
    """
    counts = {len(value) for key, value in parts.items() if _has_rows(key, value)}
    return max(counts) if counts and counts <= {max(counts), 1} else None


def _has_rows(key: str, value: Any) -> bool:
    if not isinstance(value, np.ndarray) or not value.ndim:
        return False
    return not (key.startswith("timestamps") and value.shape == (2, 2))


def timestamps_of_rows(timestamps: Array, rows: int) -> Array:
    """One time per row, in seconds: 2×2 synchronisation points (sample from 0, seconds) are interpolated.

    Before the first and after the last point the time is constant, as in the ONE client.
    >>> timestamps_of_rows(np.array([[0, 10.0], [4, 12.0]]), 5)
    array([10. , 10.5, 11. , 11.5, 12. ])
    """
    timestamps = flat(timestamps)
    if timestamps.shape != (2, 2):
        return timestamps
    return np.interp(np.arange(rows), timestamps[:, 0], timestamps[:, 1])
